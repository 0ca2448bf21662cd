import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { OnClose, OnConnect, OnData } from '../../../src/decorators/connection/connection-hooks.js';
import type { TlsOptions } from '../../../src/decorators/connection/endpoint-types.js';
import type { CloseReason } from '../../../src/decorators/hook-types.js';
import { schemeNamed } from '../../../src/endpoints/endpoint.js';
import { lines } from '../../../src/framing/lines.js';
import { Peer, type Listening } from '../../../src/reactor/index.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';
import { Authority, type Certificate } from '../../kit/programs/certificates.js';
import { streamConformance } from '../../kit/conformance/endpoint-conformance.js';
import { Events } from '../../kit/events.js';
import { atEnd, needsProgram, soon, spawnProgram, tcpClient } from '../../kit/index.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { deferred, turns } from '../../kit/signals.js';

const HERE = 'tls://127.0.0.1:0';

/** Says who it thinks is there, then echoes. */
@Connection({ framing: lines() })
class Echo {
  constructor(readonly peer: Peer<string, string>) {}
  @OnConnect() connected() {
    const { servername = '-', alpn = '-', authorized } = this.peer.tls!;
    return `${servername} ${alpn} ${authorized}`;
  }
  @OnData() data(line: string) {
    return line;
  }
}

/** Notes what it is told. */
@Connection({ framing: lines() })
class Client {
  readonly closed = deferred<CloseReason>();
  readonly said = deferred<string>();
  constructor(readonly peer: Peer<string, string>) {}
  @OnData() data(line: string) {
    this.said.resolve(line);
  }
  @OnClose() close(why: CloseReason) {
    this.closed.resolve(why);
  }
}

/** A client that is Node's own: resolves when it is secure and has read a line. */
async function greeting(port: number, options: ConnectionOptions): Promise<{ socket: TLSSocket; line: string }> {
  const socket = connectTls({ port, host: '127.0.0.1', ...options });
  atEnd(() => void socket.destroy());
  const [chunk] = (await soon(once(socket, 'data'))) as [Buffer];
  return { socket, line: String(chunk).trim() };
}

const failure = (promise: Promise<unknown>): Promise<Error & { reason?: string }> =>
  promise.then(
    () => expect.fail('it was expected to fail'),
    (error: Error) => error,
  );

describe('tls:', () => {
  if (!needsProgram('openssl')) return;
  let authority: Authority;
  let stranger: Authority;
  let local: Certificate;
  let clock: FakeClock | undefined;
  let kit: Rig;
  before(() => {
    authority = new Authority();
    stranger = new Authority('somebody else');
    local = authority.issue('127.0.0.1', 'localhost');
  });
  after(() => {
    authority[Symbol.dispose]();
    stranger[Symbol.dispose]();
  });
  beforeEach(() => (kit = rig()));
  afterEach(() => kit.close());

  const serve = (tls: TlsOptions = {}, options = {}): Promise<Listening> =>
    kit.listen(Echo, HERE, { tls: { ...local, ...tls }, ...options });
  const dial = (url: string, tls: TlsOptions = {}): Promise<Client> =>
    kit.reactor.connect(Client, url as 'tls://x', { tls: { ca: authority.cert, ...tls } });
  const viaName = (url: string): string => url.replace('127.0.0.1', 'localhost');

  streamConformance(
    'tls',
    () => HERE,
    () => ({ tls: { ...local, ca: authority.cert } }),
  );

  describe('verification', () => {
    it('a client speaks to a server whose certificate its authority signed for that address or name', async () => {
      const { address } = await serve();
      for (const url of [address.url, viaName(address.url)]) {
        const client = await dial(url);
        expect(client.peer.tls).to.include({ authorized: true, protocol: 'TLSv1.3' });
        expect(client.peer.tls!.cipher).to.match(/^TLS_/);
        expect(client.peer.tls!.certificate).to.have.nested.property('subject.CN', '127.0.0.1');
        expect(client.peer.remote.url).to.match(/^tls:/);
      }
    });

    it('a certificate of an unknown authority is a ConnectError of reason tls, and makes no handler', async () => {
      const { address } = await serve();
      for (const tls of [{ ca: stranger.cert }, { ca: undefined }]) {
        const error = await failure(dial(address.url, tls));
        expect(error).to.include({ name: 'ConnectError', reason: 'tls' });
        expect(error.message).to.match(/certificate/);
      }
      expect(kit.made.filter(handler => handler instanceof Client)).to.have.length(0);
    });

    it('a certificate for another name is refused; `servername` says which one is meant', async () => {
      const { address } = await serve(authority.issue('other.example'));
      expect(await failure(dial(viaName(address.url)))).to.include({ reason: 'tls' });
      const client = await dial(address.url, { servername: 'other.example' });
      expect(client.peer.tls).to.include({ servername: 'other.example', authorized: true });
    });

    it('the environment cannot switch it off', async () => {
      const { address } = await serve();
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      atEnd(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
      expect(await failure(dial(address.url, { ca: stranger.cert }))).to.include({ reason: 'tls' });
    });

    it('of clients: none is asked for one, request asks, require refuses those without a good one', async () => {
      const [good, bad] = [authority.issue('client'), stranger.issue('client')];
      const ca = [authority.cert];
      const expected = { none: ['false', 'false', 'false'], request: ['true', 'false', 'false'], require: ['true', undefined, undefined] };
      for (const clientCert of ['none', 'request', 'require'] as const) {
        const { address } = await serve({ ca, clientCert });
        for (const [at, identity] of [good, bad, {}].entries()) {
          const answer = greeting(address.port, { ca, ...identity }).then(({ line }) => line.split(' ')[2]);
          expect(await answer.catch(() => undefined), `${clientCert} ${at}`).to.equal(expected[clientCert][at]);
        }
      }
    });

    it('the handler knows the certificate of its client, also when it is gone', async () => {
      const seen = deferred<unknown>();
      @Connection()
      class Curious {
        constructor(private readonly peer: Peer) {}
        @OnConnect() connected() {
          return 'welcome\n';
        }
        @OnClose() close() {
          seen.resolve(this.peer.tls?.certificate);
        }
      }
      const { address } = await kit.listen(Curious, HERE, { tls: { ...local, ca: authority.cert, clientCert: 'require' } });
      const client = await dial(address.url, authority.issue('alice'));
      await soon(client.said.promise);
      client.peer.destroy();
      expect(await soon(seen.promise)).to.have.nested.property('subject.CN', 'alice');
    });
  });

  describe('names and protocols', () => {
    it('each name has its certificate, a star stands for one label, other names get the default', async () => {
      const { address } = await serve({
        sni: { 'a.example': authority.issue('a.example'), '*.b.example': authority.issue('*.b.example') },
      });
      const subject = async (servername: string): Promise<unknown> => {
        const { socket } = await greeting(address.port, { servername, ca: authority.cert, checkServerIdentity: () => undefined });
        return socket.getPeerCertificate().subject.CN;
      };
      expect(await subject('a.example')).to.equal('a.example');
      expect(await subject('www.b.example')).to.equal('*.b.example');
      expect(await subject('x.y.b.example')).to.equal('127.0.0.1');
      expect(await subject('constructor')).to.equal('127.0.0.1');
    });

    it('a resolver may take its time, and knows only the names it knows', async () => {
      const asked: string[] = [];
      const later = authority.issue('later.example');
      const { address } = await serve({
        sni: async name => {
          asked.push(name);
          await new Promise(setImmediate);
          if (name === 'broken.example') throw new Error('the database is down');
          return name === 'later.example' ? later : undefined;
        },
      });
      expect((await dial(address.url, { servername: 'later.example' })).peer.tls).to.include({ authorized: true });
      using rejected = new Events('listener.reject');
      const told = rejected.next();
      expect(await failure(dial(address.url, { servername: 'broken.example' }))).to.include({ reason: 'tls' });
      expect(await soon(told)).to.include({ reason: 'handshake' });
      expect(rejected.seen[0]!['error']).to.include({ code: 'ERR_PACKET_TLS' });
      await dial(viaName(address.url));
      expect(asked).to.deep.equal(['later.example', 'broken.example', 'localhost']);
    });

    it('may have no default certificate: then clients that name nothing are refused', async () => {
      const { address } = await kit.listen(Echo, HERE, { tls: { sni: { 'a.example': authority.issue('a.example') } } });
      await dial(address.url, { servername: 'a.example' });
      expect(await failure(dial(address.url))).to.include({ reason: 'tls' });
    });

    it('whom the server trusts holds for its other names, too', async () => {
      const { address } = await serve({
        ca: authority.cert,
        clientCert: 'require',
        sni: { 'a.example': authority.issue('a.example') },
      });
      await dial(address.url, { servername: 'a.example', ...authority.issue('client') }).then(({ said }) => soon(said.promise));
      const refused = await dial(address.url, { servername: 'a.example', ...stranger.issue('client') });
      expect(await soon(refused.closed.promise)).to.include({ by: 'peer' });
    });

    it('agrees on a protocol with ALPN, or on none', async () => {
      const { address } = await serve({ alpn: ['two', 'one'] });
      const client = await dial(address.url, { alpn: ['one', 'two'] });
      expect(client.peer.tls).to.include({ alpn: 'two' });
      expect(await soon(client.said.promise)).to.equal('- two false');
      expect(await failure(dial(address.url, { alpn: ['three'] }))).to.include({ reason: 'tls' });
    });

    it('refuses versions below minVersion, on both sides', async () => {
      const old = { ca: authority.cert, maxVersion: 'TLSv1.2' } as const;
      const { address: relaxed } = await serve();
      expect((await greeting(relaxed.port, old)).socket.getProtocol()).to.equal('TLSv1.2');
      const { address: strict } = await serve({ minVersion: 'TLSv1.3' });
      expect(await failure(greeting(strict.port, old))).to.match(/protocol version/);
    });
  });

  describe('a handshake', () => {
    it('that fails frees its place, is an event, and harms nobody', async () => {
      using rejected = new Events('listener.reject');
      const { address } = await serve({}, { maxConnections: 1 });
      const attacks: ((client: Awaited<ReturnType<typeof tcpClient>>) => unknown)[] = [
        client => client.send('GET / HTTP/1.0\r\n\r\n'),
        client => client.end(),
        client => client.reset(),
        client => client.destroy(),
        client => client.end(Buffer.from('160301', 'hex')),
      ];
      for (const attack of attacks) {
        const told = rejected.next();
        await attack(await tcpClient(address.port));
        const event = await soon(told);
        expect(event).to.include({ handler: 'Echo', reason: 'handshake' });
        expect(event['error']).to.include({ name: 'TlsError', code: 'ERR_PACKET_TLS' });
      }
      expect(kit.made).to.have.length(0);
      expect(await soon((await dial(address.url)).said.promise)).to.equal('- - false');
    });

    it('counts from the first moment: who says nothing holds a place until handshakeTimeout', async () => {
      await kit.close();
      kit = rig((clock = new FakeClock()));
      using rejected = new Events('listener.reject');
      const { address } = await serve({}, { maxConnections: 1, handshakeTimeout: '3s' });
      const silent = await tcpClient(address.port);
      const full = await tcpClient(address.port);
      expect(await full.all()).to.equal('');
      expect(rejected.seen.map(({ reason }) => reason)).to.deep.equal(['maxConnections']);
      const told = rejected.next();
      await clock.advance('2999ms');
      expect(rejected.seen).to.have.length(1);
      await clock.advance('1ms');
      const event = await soon(told);
      expect(event).to.include({ reason: 'handshakeTimeout' });
      expect(event['error']).to.include({ name: 'LimitError', limit: 'handshakeTimeout' });
      expect(await silent.all()).to.equal('');
      await dial(address.url);
    });

    it('is bounded for a client, too; its signal gives up', async () => {
      await kit.close();
      kit = rig((clock = new FakeClock()));
      @Connection()
      class Silent {}
      const { address } = await kit.listen(Silent, 'tcp://127.0.0.1:0');
      const url = address.url.replace('tcp:', 'tls:') as 'tls://x';
      using opened = new Events('connection.open');
      let accepted = opened.next();
      const slow = failure(kit.reactor.connect(Client, url, { handshakeTimeout: '1s' }));
      await soon(accepted);
      await clock.advance('1s');
      expect(await soon(slow)).to.include({ name: 'ConnectError', reason: 'timeout' });
      const controller = new AbortController();
      accepted = opened.next();
      const aborted = failure(kit.reactor.connect(Client, url, { signal: controller.signal }));
      await soon(accepted);
      controller.abort();
      expect(await soon(aborted)).to.include({ name: 'ConnectError', reason: 'aborted' });
    });

    it('comes before the handler', async () => {
      const { address } = await serve();
      const plain = await tcpClient(address.port);
      await plain.send(Buffer.from('160301', 'hex'));
      await soon((await dial(address.url)).said.promise);
      expect(kit.made.filter(handler => handler instanceof Echo)).to.have.length(1);
    });

    it('under way ends with its listener; open connections live on', async () => {
      using rejected = new Events('listener.reject');
      const listening = await serve();
      const client = await dial(listening.address.url);
      expect(await soon(client.said.promise)).to.equal('- - false');
      const pending = await tcpClient(listening.address.port);
      await pending.send(Buffer.from('160301', 'hex'));
      const told = rejected.next();
      await listening.close();
      expect(await soon(told)).to.include({ reason: 'closed' });
      await pending.all();
      expect(client.peer.send('still here')).to.equal(true);
    });
  });

  describe('certificates in files', () => {
    let listening: Listening;
    let urls: { cert: URL; key: URL };
    const write = (name: string, text: string): URL => {
      const path = join(authority.folder, name);
      // As careful people do it: whole, in one step.
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
      return pathToFileURL(path);
    };
    const put = ({ cert, key }: Certificate): { cert: URL; key: URL } => ({ cert: write('s.pem', cert), key: write('s.key', key) });
    const subject = async (): Promise<unknown> => {
      const { socket } = await greeting(listening.address.port, { ca: authority.cert, checkServerIdentity: () => undefined });
      return socket.getPeerCertificate().subject.CN;
    };
    beforeEach(async () => {
      urls = put(authority.issue('first'));
      listening = await serve(urls);
    });

    it('are read again when they change, for new handshakes; open connections live on', async () => {
      const before = await greeting(listening.address.port, { ca: authority.cert, checkServerIdentity: () => undefined });
      put(authority.issue('second'));
      expect(await subject()).to.equal('second');
      before.socket.write('hello\n');
      expect(String((await soon(once(before.socket, 'data')))[0])).to.equal('hello\n');
    });

    it('that cannot be used are told of once, and those before stay in use', async () => {
      using errors = new Events('listener.error');
      write('s.pem', 'no certificate');
      expect(await subject()).to.equal('first');
      expect(await subject()).to.equal('first');
      expect(errors.seen).to.have.length(1);
      expect(errors.seen[0]!['error']).to.include({ name: 'TlsError' });
      put(authority.issue('third'));
      expect(await subject()).to.equal('third');
    });

    it('are read by reloadTls(), which rejects when they cannot be used', async () => {
      put(authority.issue('fourth'));
      await listening.reloadTls();
      expect(await subject()).to.equal('fourth');
      write('s.key', 'no key');
      expect(await failure(listening.reloadTls())).to.include({ name: 'TlsError' });
      expect(await subject()).to.equal('fourth');
    });

    it('that are missing cannot be listened with', async () => {
      const missing = pathToFileURL(join(authority.folder, 'missing.pem'));
      for (const [option, options] of Object.entries({ cert: { cert: missing }, key: { key: missing }, ca: { ca: [missing] } })) {
        const error = await failure(serve(options));
        expect(error).to.include({ name: 'ConfigurationError' });
        expect(error.message).to.match(
          new RegExp(`^Echo\\.listen: the certificate cannot be used: tls\\.${option} names the file ${fileURLToPath(missing)}: .*ENOENT`),
        );
      }
    });

    it('of a name in `sni` that cannot be used are told before listening, not by the first client', async () => {
      const missing = pathToFileURL(join(authority.folder, 'missing.pem'));
      for (const own of [{}, { cert: undefined, key: undefined }]) {
        const error = await failure(serve({ ...own, sni: { 'a.test': { cert: missing, key: local.key } } }));
        expect(error).to.include({ name: 'ConfigurationError' });
        expect(error.message).to.contain(`sni 'a.test': the certificate cannot be used: tls.cert names the file ${fileURLToPath(missing)}`);
      }
    });

    it('reloadTls() without tls: is a mistake of the caller', async () => {
      const plain = await kit.listen(Echo, 'tcp://127.0.0.1:0');
      expect(await failure(plain.reloadTls())).to.include({ name: 'UsageError' });
    });
  });

  it('a listener without a certificate, or with one that does not fit its key, is a mistake that says so', async () => {
    expect((await failure(kit.listen(Echo, HERE))).message).to.match(/has no certificate: write tls: { cert, key }/);
    const { message } = await failure(serve({ key: stranger.key }));
    expect(message).to.match(/certificate cannot be used: key values mismatch/);
    expect(message).not.to.contain('PRIVATE');
  });

  it('talks to openssl s_client, and closes politely', async () => {
    const { address } = await serve({ alpn: ['echo'] });
    const ca = join(authority.folder, 'ca.pem');
    const client = spawnProgram('openssl', [
      ...['s_client', '-connect', `127.0.0.1:${address.port}`, '-CAfile', ca, '-verify_return_error', '-servername', 'localhost'],
      ...['-alpn', 'echo', '-quiet', '-no_ign_eof'],
    ]);
    expect(await client.line()).to.equal('localhost echo false');
    client.stdin.write('hello\n');
    expect(await client.line()).to.equal('hello');
    client.stdin.end();
    expect(await client.exit()).to.deep.equal({ code: 0, signal: null });
  });

  it('who is destroyed at the last moment of a handshake has not shaken hands', async () => {
    const { address } = await kit.listen(Echo, { url: HERE, tls: local });
    const target = { url: address.url, options: { tls: { ca: authority.cert } } };
    const transport = await schemeNamed('tls')!.connect!(target, new AbortController().signal);
    const shaken = transport.handshake!().then(
      () => 'secure',
      ({ message }: Error) => message,
    );
    while (!transport.tls) await turns(1);
    transport.destroy(new Error('given up'));
    expect(await shaken).to.equal('given up');
  });
});
