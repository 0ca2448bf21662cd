import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { OnClose, OnConnect, OnData, OnDrain, OnError, OnSecure } from '../../../src/decorators/connection/connection-hooks.js';
import type { About, CloseReason } from '../../../src/decorators/hook-types.js';
import type { TlsOptions } from '../../../src/decorators/connection/endpoint-types.js';
import { lines } from '../../../src/framing/lines.js';
import { raw } from '../../../src/framing/raw.js';
import { Peer, type Listening } from '../../../src/reactor/index.js';
import { PauseReason } from '../../../src/session/inbound/read-loop.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';
import { Authority, type Certificate } from '../../kit/programs/certificates.js';
import { Events } from '../../kit/events.js';
import { needsProgram, soon, spawnProgram, tcpClient, type TcpClient } from '../../kit/index.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { deferred, Journal, turns } from '../../kit/signals.js';
import { secured } from '../../kit/clients/tls-client.js';

const HERE = 'tcp://127.0.0.1:0';

/** As much of SMTP as it takes, and a journal of what happens in which order. */
@Connection({ framing: lines() })
class Mail {
  readonly journal = new Journal();
  readonly closed = deferred<CloseReason>();
  constructor(readonly peer: Peer<string, string>) {}
  @OnConnect() greet() {
    return '220 mail';
  }
  @OnData() async command(line: string) {
    this.journal.note(line);
    if (line.startsWith('EHLO')) return '250 STARTTLS';
    if (line !== 'STARTTLS') return `250 ${line} ${this.peer.tls ? 'secure' : 'plain'}`;
    this.peer.send('220 go ahead');
    await this.upgrade();
    this.journal.note('upgraded');
    return undefined;
  }
  upgrade(): Promise<void> {
    return this.peer.startTls();
  }
  @OnSecure() async secure() {
    this.journal.note('securing');
    await turns(3);
    this.journal.note('secure');
  }
  @OnClose() close(why: CloseReason) {
    this.closed.resolve(why);
  }
}

const failure = (promise: Promise<unknown>): Promise<Error & Record<string, unknown>> =>
  promise.then(
    () => expect.fail('it was expected to fail'),
    (error: Error & Record<string, unknown>) => error,
  );

describe('startTls()', () => {
  if (!needsProgram('openssl')) return;
  let authority: Authority;
  let certificate: Certificate;
  let kit: Rig;
  before(() => {
    authority = new Authority();
    certificate = authority.issue('127.0.0.1', 'localhost');
  });
  after(() => authority[Symbol.dispose]());
  beforeEach(() => (kit = rig()));
  afterEach(() => kit.close());

  const serve = (cls: Parameters<Rig['listen']>[0] = Mail, options = {}): Promise<Listening> =>
    kit.listen(cls, HERE, { tls: certificate, ...options });
  /** A plain client that has read the greeting, and the handler it met. */
  const meet = async <T extends object = Mail>({ address }: Listening): Promise<{ client: TcpClient; handler: T }> => {
    const client = await tcpClient(address.port);
    await client.line();
    return { client, handler: kit.made.at(-1) as T };
  };
  const ahead = async (client: TcpClient): Promise<TcpClient> => {
    await client.send('STARTTLS\r\n');
    expect(await client.line()).to.equal('220 go ahead');
    return secured(client, { ca: authority.cert, host: '127.0.0.1' });
  };

  describe('of a server', () => {
    it('takes the connection over in place: the same handler, the same line', async () => {
      const { client, handler } = await meet(await serve());
      await client.send('EHLO me\r\n');
      expect(await client.line()).to.equal('250 STARTTLS');
      expect(handler.peer.tls).to.equal(undefined);
      const secure = await ahead(client);
      await secure.send('MAIL\r\nRCPT\r\n');
      expect(await secure.lines(2)).to.deep.equal(['250 MAIL secure', '250 RCPT secure']);
      expect(handler.peer.tls).to.include({ protocol: 'TLSv1.3', authorized: false });
      expect(handler.journal.entries).to.deep.equal(['EHLO me', 'STARTTLS', 'securing', 'secure', 'upgraded', 'MAIL', 'RCPT']);
      expect(kit.made).to.have.length(1);
      secure.end();
      expect(await soon(handler.closed.promise)).to.deep.equal({ by: 'peer', code: 'END' });
    });

    it('speaks to openssl s_client -starttls smtp, which verifies it and half-closes', async () => {
      const { address } = await serve();
      const client = spawnProgram('openssl', [
        ...['s_client', '-connect', `127.0.0.1:${address.port}`, '-starttls', 'smtp', '-CAfile', join(authority.folder, 'ca.pem')],
        ...['-verify_ip', '127.0.0.1', '-verify_return_error', '-quiet', '-no_ign_eof'],
      ]);
      client.stdin.write('NOOP\n');
      expect(await client.line()).to.equal('250 NOOP secure');
      client.stdin.end();
      expect(await client.exit()).to.deep.equal({ code: 0, signal: null });
    });

    it('tells of it as an event', async () => {
      using events = new Events('connection.secure');
      const { client, handler } = await meet(await serve());
      await ahead(client);
      await soon(handler.journal.has('upgraded'));
      expect(events.seen).to.deep.equal([{ app: '', handler: 'Mail', connection: handler.peer.id, protocol: 'TLSv1.3' }]);
    });

    it('sends what was said before it in the clear, and what is said meanwhile behind the handshake', async () => {
      const { client, handler } = await meet(await serve());
      await client.send('STARTTLS\r\n');
      await client.line();
      for (const line of ['one', 'two']) handler.peer.send(line);
      const flushed = handler.peer.flush();
      await turns();
      expect(client.inbox.text).to.equal('220 mail\n220 go ahead\n');
      const secure = await secured(client, { ca: authority.cert, host: '127.0.0.1' });
      expect(await secure.lines(2)).to.deep.equal(['one', 'two']);
      await soon(flushed);
      expect(handler.peer.bytesWritten).to.equal(Buffer.byteLength('220 mail\n220 go ahead\none\ntwo\n'));
    });

    it('is congested when much waits for the handshake, and told when it has gone', async () => {
      const drained = deferred();
      @Connection({ framing: lines() })
      class Busy extends Mail {
        @OnDrain() drain() {
          drained.resolve();
        }
      }
      const { client, handler } = await meet(await serve(Busy));
      await client.send('STARTTLS\r\n');
      await client.line();
      let sent = 0;
      while (!handler.peer.congested) handler.peer.send(String(sent++).padEnd(1_000));
      expect(sent).to.equal(Math.ceil(65_536 / 1_001));
      const secure = await secured(client, { ca: authority.cert, host: '127.0.0.1' });
      await soon(drained.promise);
      expect((await secure.lines(sent)).map(Number)).to.deep.equal(Array.from({ length: sent }, (_, at) => at));
      expect(handler.peer.congested).to.equal(false);
    });

    it('reads with a fresh decoder, of the framing in force', async () => {
      @Connection({ framing: raw() })
      class Switching {
        constructor(readonly peer: Peer) {}
        @OnConnect() hello() {
          return 'hello\n';
        }
        @OnData() async data(bytes: Buffer | string) {
          if (typeof bytes === 'string') return `<${bytes}>`;
          this.peer.send('220 go ahead\n');
          const starting = this.peer.startTls();
          this.peer.setFraming(lines());
          await starting;
          return 'now in lines\n';
        }
      }
      const { client } = await meet(await serve(Switching));
      const secure = await ahead(client);
      expect(await secure.line()).to.equal('now in lines');
      await secure.send('a\r\nb');
      expect(await secure.line()).to.equal('<a>');
      await secure.send('\r\n');
      expect(await secure.line()).to.equal('<b>');
    });

    it('uses what it is given, also another certificate than the endpoint has', async () => {
      const mine = authority.issue('mine.example');
      class Own extends Mail {
        override upgrade() {
          return this.peer.startTls({ ...mine, alpn: ['smtp'] });
        }
      }
      const { client, handler } = await meet(await serve(Connection()(Own) ?? Own));
      await client.send('STARTTLS\r\n');
      await client.line();
      const secure = await secured(client, { ca: authority.cert, servername: 'mine.example', ALPNProtocols: ['smtp'] });
      expect(secure.socket.getPeerCertificate().subject.CN).to.equal('mine.example');
      await soon(handler.journal.has('upgraded'));
      expect(handler.peer.tls).to.include({ alpn: 'smtp', servername: 'mine.example' });
    });

    it('need not be waited for: messages are held until @OnSecure has settled', async () => {
      @Connection({ framing: lines() })
      class Careless extends Mail {
        override upgrade() {
          void this.peer.startTls();
          return Promise.resolve();
        }
      }
      const { client, handler } = await meet(await serve(Careless));
      const secure = await ahead(client);
      await secure.send('NOOP\r\n');
      expect(await secure.line()).to.equal('250 NOOP secure');
      expect(handler.journal.entries).to.deep.equal(['STARTTLS', 'upgraded', 'securing', 'secure', 'NOOP']);
    });

    it('works on a unix socket, and from @OnConnect before anything is said', async () => {
      @Connection({ framing: lines() })
      class AtOnce {
        constructor(private readonly peer: Peer<string, string>) {}
        @OnConnect() async begin() {
          await this.peer.startTls();
          return 'welcome';
        }
      }
      const path = join(authority.folder, 'mail.sock');
      await kit.listen(AtOnce, `unix:${path}`, { tls: certificate });
      const secure = await secured(await tcpClient({ path }), { ca: authority.cert, servername: 'localhost' });
      expect(await secure.line()).to.equal('welcome');
    });

    it('is finished before the connection ends: a polite end follows the handshake', async () => {
      const { client, handler } = await meet(await serve());
      await client.send('STARTTLS\r\n');
      await client.line();
      handler.peer.end('221 bye');
      const secure = await secured(client, { ca: authority.cert, host: '127.0.0.1' });
      expect(await secure.all()).to.equal('221 bye\n');
    });
  });

  describe('of a client', () => {
    /** Does what a mail client does, with the same API. */
    @Connection({ framing: lines() })
    class Sender {
      readonly journal = new Journal();
      readonly closed = deferred<CloseReason>();
      static tls: TlsOptions | undefined;
      constructor(readonly peer: Peer<string, string>) {}
      @OnData() async answer(line: string) {
        this.journal.note(line);
        if (line === '220 mail') return 'STARTTLS';
        if (line !== '220 go ahead') return undefined;
        await this.peer.startTls(Sender.tls);
        return 'NOOP';
      }
      @OnSecure() secure() {
        this.journal.note('secure');
      }
      @OnError() failed(error: Error, { during }: About) {
        this.journal.note(`${during}: ${error.name}`);
      }
      @OnClose() close(why: CloseReason) {
        this.closed.resolve(why);
      }
    }
    afterEach(() => (Sender.tls = undefined));

    it('speaks to a server written with the same API, and has verified it', async () => {
      const { address } = await serve();
      const client = await kit.reactor.connect(Sender, address.url as typeof HERE, { tls: { ca: authority.cert } });
      await soon(client.journal.has('250 NOOP secure'));
      expect(client.journal.entries).to.deep.equal(['220 mail', '220 go ahead', 'secure', '250 NOOP secure']);
      expect(client.peer.tls).to.include({ authorized: true });
    });

    it('refuses a certificate that it has no reason to trust, or of another name: told once, closed, typed', async () => {
      const { address } = await serve();
      for (const tls of [{}, { ca: authority.cert, servername: 'other.example' }]) {
        Sender.tls = tls;
        const client = await kit.reactor.connect(Sender, address.url as typeof HERE);
        const reason = await soon(client.closed.promise);
        expect(reason).to.deep.include({ by: 'error', code: 'ERR_PACKET_TLS' });
        expect(client.journal.entries).to.deep.equal(['220 mail', '220 go ahead', 'socket: TlsError']);
      }
    });

    it('in @OnConnect is a part of connecting: a handshake that fails is a ConnectError of reason tls', async () => {
      @Connection({ framing: raw() })
      class Direct {
        constructor(readonly peer: Peer) {}
        @OnConnect() begin() {
          return this.peer.startTls();
        }
      }
      class Greeter {
        @OnConnect() hello() {
          return 'this is no TLS\n';
        }
        @OnError() quiet() {}
      }
      const plain = await kit.listen(Connection()(Greeter) ?? Greeter, HERE);
      const silent = kit.reactor.connect(Direct, plain.address.url as typeof HERE);
      expect(await failure(silent)).to.include({ name: 'ConnectError', reason: 'tls' });
      const { address } = await kit.listen(Mail, 'tls://127.0.0.1:0', { tls: certificate });
      const url = address.url.replace('tls:', 'tcp:') as typeof HERE;
      expect(await failure(kit.reactor.connect(Direct, url))).to.include({ name: 'ConnectError', reason: 'tls' });
      const { peer } = await kit.reactor.connect(Direct, url, { tls: { ca: authority.cert } });
      expect(peer.tls).to.include({ authorized: true });
    });
  });

  describe('with plaintext behind it', () => {
    /** Notes how the promise settled. */
    @Connection({ framing: lines() })
    class Wary extends Mail {
      readonly outcome = deferred<unknown>();
      override async upgrade() {
        const starting = super.upgrade();
        this.outcome.resolve(failure(starting));
        await starting;
      }
      @OnError() failed(error: Error & { code?: unknown }, { during }: About) {
        this.journal.note(`${during}: ${String(error.code)}`);
      }
    }

    it('destroys the peer and rejects: whatever was injected is not handled, before TLS or behind it', async () => {
      for (const injected of ['RSET\r\n', 'R', '\r\n']) {
        const { client, handler } = await meet<Wary>(await serve(Wary));
        await client.send(`STARTTLS\r\n${injected}`);
        expect(await soon(handler.outcome.promise)).to.include({ name: 'TlsInjectionError', code: 'ERR_PACKET_TLS_INJECTION' });
        expect(await soon(handler.closed.promise)).to.deep.include({ by: 'error', code: 'ERR_PACKET_TLS_INJECTION' });
        await client.all();
        expect(handler.journal.entries).to.deep.equal(['STARTTLS', 'socket: ERR_PACKET_TLS_INJECTION']);
      }
    });

    it('that came while the handler was busy is told, too; what comes later is no TLS', async () => {
      const busy = deferred();
      const arrived = deferred();
      @Connection({ framing: lines() })
      class Slow extends Wary {
        override async upgrade() {
          arrived.resolve();
          await busy.promise;
          await super.upgrade();
        }
      }
      const { client, handler } = await meet<Slow>(await serve(Slow));
      await client.send('STARTTLS\r\n');
      await soon(arrived.promise);
      const before = handler.peer.bytesRead;
      await client.send('RSET\r\n');
      while (handler.peer.bytesRead === before) await turns(1);
      busy.resolve();
      expect(await soon(handler.outcome.promise)).to.include({ code: 'ERR_PACKET_TLS_INJECTION' });

      const second = await meet<Wary>(await serve(Wary));
      await second.client.send('STARTTLS\r\n');
      await second.client.line();
      await second.client.send('RSET\r\nRSET\r\nRSET\r\n');
      expect(await soon(second.handler.outcome.promise)).to.include({ name: 'TlsError', code: 'ERR_PACKET_TLS' });
      expect(second.handler.journal.entries).to.deep.equal(['STARTTLS', 'socket: ERR_PACKET_TLS']);
    });

    it('is found when the peer had been paused and its bytes were not read', async () => {
      @Connection({ framing: lines() })
      class Paused extends Wary {
        override async upgrade() {
          this.peer.pause();
          this.peer.send('paused');
          await once(go, 'go');
          this.peer.resume();
          await super.upgrade();
        }
      }
      const go = new EventTarget();
      const { client, handler } = await meet<Paused>(await serve(Paused));
      await client.send('STARTTLS\r\n');
      await client.lines(2);
      await client.send('RSET\r\n');
      await turns(20);
      go.dispatchEvent(new Event('go'));
      const error = (await soon(handler.outcome.promise)) as { name: string };
      expect(error.name).to.match(/^Tls(Injection)?Error$/);
      await soon(handler.closed.promise);
      expect(handler.journal.entries).not.to.include('RSET');
    });
  });

  describe('that fails', () => {
    const attacks: Record<string, (client: TcpClient) => unknown> = {
      'garbage instead of a handshake': client => client.send('this is no handshake at all\r\n'),
      'half a handshake, then FIN': client => client.end(Buffer.from('160301', 'hex')),
      'a FIN': client => client.end(),
      'a reset': client => client.reset(),
      'nobody any more': client => client.destroy(),
    };

    for (const [what, attack] of Object.entries(attacks)) {
      it(`on ${what} closes this connection alone, typed, and told at most once`, async () => {
        const told: string[] = [];
        @Connection({ framing: lines() })
        class Told extends Mail {
          readonly outcome = deferred<Error>();
          override async upgrade() {
            const starting = super.upgrade();
            starting.catch((error: Error) => this.outcome.resolve(error));
            await starting;
          }
          @OnError() failed(error: Error, { during }: About) {
            told.push(`${during}: ${error.name}`);
          }
        }
        const listening = await serve(Told, { maxConnections: 2 });
        const neighbour = await meet(listening);
        const { client, handler } = await meet<Told>(listening);
        await client.send('STARTTLS\r\n');
        await client.line();
        await attack(client);
        expect(await soon(handler.outcome.promise)).to.include({ name: 'TlsError', code: 'ERR_PACKET_TLS' });
        const reason = await soon(handler.closed.promise);
        expect(reason.code).to.equal('ERR_PACKET_TLS');
        expect(told).to.deep.equal(reason.by === 'error' ? ['socket: TlsError'] : []);
        await neighbour.client.send('NOOP\r\n');
        expect(await neighbour.client.line()).to.equal('250 NOOP plain');
        // And its place is free.
        await meet(listening);
      });
    }

    it('because the peer had finished before is no error of anybody', async () => {
      using errors = new Events('connection.error');
      const { client, handler } = await meet(await serve());
      client.end('EHLO\r\nSTARTTLS\r\n');
      expect(await soon(handler.closed.promise)).to.include({ by: 'peer' });
      expect(errors.seen).to.deep.equal([]);
    });

    it('by silence is over after handshakeTimeout', async () => {
      await kit.close();
      const clock = new FakeClock();
      kit = rig(clock);
      const { client, handler } = await meet(await serve(Mail, { handshakeTimeout: '3s' }));
      const outcome = deferred<unknown>();
      handler.upgrade = () => {
        const starting = handler.peer.startTls();
        outcome.resolve(failure(starting));
        return starting;
      };
      await client.send('STARTTLS\r\n');
      await client.line();
      await clock.advance('2999ms');
      expect(handler.peer.signal.aborted).to.equal(false);
      await clock.advance('1ms');
      expect(await soon(outcome.promise)).to.include({ name: 'LimitError', limit: 'handshakeTimeout' });
      expect(await soon(handler.closed.promise)).to.deep.include({ by: 'timeout', code: 'handshakeTimeout' });
      expect(await client.all()).to.equal('');
    });

    it('because the connection is destroyed meanwhile, rejects with that', async () => {
      const { client, handler } = await meet(await serve());
      await client.send('STARTTLS\r\n');
      await client.line();
      const again = failure(handler.peer.startTls());
      expect(await again).to.include({ name: 'UsageError' });
      handler.peer.destroy();
      expect(await soon(handler.closed.promise)).to.include({ by: 'local', code: 'DESTROY' });
      expect(await failure(handler.peer.startTls())).to.include({ name: 'ConnectionClosedError' });
    });

    it('because @OnSecure throws, closes the connection', async () => {
      @Connection({ framing: lines() })
      class Strict extends Mail {
        override async secure() {
          throw await Promise.resolve(new Error('not secure enough'));
        }
      }
      const { client, handler } = await meet(await serve(Strict));
      const secure = await ahead(client);
      expect(await secure.all()).to.equal('');
      secure.end();
      expect(await soon(handler.closed.promise)).to.deep.include({ by: 'error', code: 'Error' });
      expect(handler.journal.entries).to.deep.equal(['STARTTLS']);
    });
  });

  describe('that cannot be', () => {
    const refusal = async (handler: Mail, options?: TlsOptions): Promise<string> => (await failure(handler.peer.startTls(options))).message;

    it('is refused, and the connection lives', async () => {
      const { client, handler } = await meet(await kit.listen(Mail, HERE));
      expect(await refusal(handler)).to.match(/Mail has no certificate to show/);
      expect(await refusal(handler, { minVersion: 'TLSv1.1' as 'TLSv1.2' })).to.match(/minVersion is "TLSv1.1"/);
      expect(await refusal(handler, { cert: 'file.pem', key: 'file.key' })).to.match(/no PEM/);
      await client.send('NOOP\r\n');
      expect(await client.line()).to.equal('250 NOOP plain');
    });

    it('on a connection that is being handed off', async () => {
      const { handler } = await meet(await serve());
      for (const { readLoop } of kit.core.sessions(Mail)) readLoop.hold(PauseReason.MOVING);
      expect(await refusal(handler)).to.match(/being handed off/);
    });

    it('with concurrency above 1, on what speaks TLS already, in memory', async () => {
      const { handler } = await meet(await serve(Mail, { concurrency: 2 }));
      expect(await refusal(handler)).to.match(/concurrency above 1/);
      const second = await meet(await serve());
      await ahead(second.client);
      await soon(second.handler.journal.has('upgraded'));
      expect(await refusal(second.handler)).to.match(/speaks TLS already/);
      const { address } = await kit.listen(Mail, undefined, { tls: certificate });
      @Connection()
      class Near {
        constructor(readonly peer: Peer) {}
      }
      const { peer } = await kit.reactor.connect(Near, address.url as 'memory:x');
      expect(await failure(peer.startTls())).to.include({ name: 'UsageError' });
    });

    it('is found when listening begins, where a certificate cannot be read', async () => {
      const missing = new URL(`file://${authority.folder}/missing.pem`);
      expect(await failure(serve(Mail, { tls: { cert: missing, key: missing } }))).to.include({ name: 'ConfigurationError' });
    });
  });

  it('100 times at once, each with its own bytes', async function () {
    const listening = await serve();
    const clients = await Promise.all(Array.from({ length: 100 }, () => tcpClient(listening.address.port)));
    const answers = await Promise.all(
      clients.map(async (client, at) => {
        await client.line({ within: '15s' });
        await client.send('STARTTLS\r\n');
        await client.line({ within: '15s' });
        const secure = await secured(client, { ca: authority.cert, host: '127.0.0.1' });
        await secure.send(`${at}\r\n`);
        return secure.line({ within: '15s' });
      }),
    );
    expect(answers).to.deep.equal(clients.map((_, at) => `250 ${at} secure`));
  });
});
