import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Connection } from '../../src/decorators/connection/connection.js';
import { OnConnect, OnData } from '../../src/decorators/connection/connection-hooks.js';
import { lines } from '../../src/framing/lines.js';
import { Peer, type Listening, type Where } from '../../src/reactor/index.js';
import { FakeClock } from '../../src/testing/fake-clock.js';
import { Authority } from '../kit/programs/certificates.js';
import { Events } from '../kit/events.js';
import { needsProgram, soon, tcpClient, type TcpClient } from '../kit/index.js';
import { proxyBinary, proxyHeader, proxyLine, tlv } from '../kit/clients/proxy-header.js';
import { rig, type Rig } from '../kit/reactor.js';
import { secured } from '../kit/clients/tls-client.js';

const HERE = 'tcp://127.0.0.1:0';
const FROM = { address: '203.0.113.7', port: 50_000 };
const FROM6 = { address: '2001:db8::7', port: 50_000 };
const TO = { address: '192.0.2.1', port: 443 };
const TO6 = { address: '2001:db8::1', port: 443 };
const LOOPBACK = { proxyProtocol: { from: ['127.0.0.0/8'] } };

/** Says who it thinks is there, then echoes. */
@Connection({ framing: lines() })
class Echo {
  constructor(readonly peer: Peer<string, string>) {}
  @OnConnect() connected() {
    return `${this.peer.remote.url} ${this.peer.local.url}`;
  }
  @OnData() data(line: string) {
    return line;
  }
}

describe('behind a proxy', () => {
  let kit: Rig;
  let folder: string;
  beforeEach(() => {
    kit = rig();
    folder = mkdtempSync(join(tmpdir(), 'packet-proxy-'));
  });
  afterEach(async () => {
    await kit.close();
    rmSync(folder, { recursive: true });
  });

  const serve = (options: object = {}, where: Where = HERE): Promise<Listening> => kit.listen(Echo, where, { ...LOOPBACK, ...options });
  const hello = async ({ address }: Listening, header: string | Buffer): Promise<TcpClient> => {
    const client = await tcpClient(address.path === undefined ? address.port : { path: address.path });
    await client.send(header);
    return client;
  };

  it('the peer is whom the header names, of either version and family', async () => {
    const listening = await serve();
    for (const [header, told] of [
      [proxyLine(FROM, TO), 'tcp://203.0.113.7:50000 tcp://192.0.2.1:443'],
      [proxyLine(FROM6, TO6), 'tcp://[2001:db8::7]:50000 tcp://[2001:db8::1]:443'],
      [proxyBinary(FROM, TO, tlv(2, 'a.example')), 'tcp://203.0.113.7:50000 tcp://192.0.2.1:443'],
      [proxyBinary(FROM6, TO6), 'tcp://[2001:db8::7]:50000 tcp://[2001:db8::1]:443'],
    ] as const) {
      const client = await hello(listening, header);
      expect(await client.line()).to.equal(told);
      await client.send('hello\n');
      expect(await client.line()).to.equal('hello');
    }
    const { peer } = kit.made[0] as Echo;
    expect(peer.remote).to.deep.equal({ url: 'tcp://203.0.113.7:50000', ...FROM });
    expect(peer.bytesRead).to.equal(6);
  });

  it('a proxy that speaks for itself is itself the peer', async () => {
    const listening = await serve();
    for (const header of ['PROXY UNKNOWN\r\n', proxyHeader(0x20, 0, Buffer.alloc(0))]) {
      const client = await hello(listening, header);
      expect(await client.line()).to.match(/^tcp:\/\/127\.0\.0\.1:\d+ tcp:\/\/127\.0\.0\.1:\d+$/);
    }
  });

  it('the client of a unix socket of the proxy is told by its path', async () => {
    const listening = await serve();
    const paths = Buffer.alloc(216);
    paths.write('/run/a.sock');
    const client = await hello(listening, proxyHeader(0x21, 0x31, paths));
    expect(await client.line()).to.equal('unix:/run/a.sock unix:');
  });

  it('bytes in the same packet are messages; the header may come byte by byte', async () => {
    const listening = await serve();
    const header = proxyBinary(FROM, TO);
    const together = await hello(listening, Buffer.concat([header, Buffer.from('one\ntwo\n')]));
    expect(await together.lines(3)).to.deep.equal(['tcp://203.0.113.7:50000 tcp://192.0.2.1:443', 'one', 'two']);
    const slow = await hello(listening, '');
    for (const byte of [...header, ...Buffer.from('three\n')]) await slow.send(Buffer.from([byte]));
    expect(await slow.lines(2)).to.deep.equal(['tcp://203.0.113.7:50000 tcp://192.0.2.1:443', 'three']);
    const finished = await hello(listening, '');
    finished.end(Buffer.concat([header, Buffer.from('last')]));
    expect(await finished.all()).to.match(/\nlast\n$/);
    const silent = await hello(listening, '');
    silent.end(header);
    expect(await silent.all()).to.equal('tcp://203.0.113.7:50000 tcp://192.0.2.1:443\n');
  });

  it('what does not begin with a header is closed, told as an event, and makes no handler', async () => {
    using rejected = new Events('listener.reject');
    const listening = await serve({ maxConnections: 1 });
    const attacks: Record<string, (client: TcpClient) => unknown> = {
      garbage: client => client.send('hello\n'),
      'a TLS handshake': client => client.send(Buffer.from('16030102', 'hex')),
      'a line that is none': client => client.send('PROXY TCP4 1.2.3.4 nobody 1 1\r\nhello\n'),
      'a header that never ends': client => client.send(`PROXY ${'x'.repeat(200)}`),
      'a FIN': client => client.end('PROXY TCP4'),
      'a reset': client => client.reset(),
    };
    for (const [name, attack] of Object.entries(attacks)) {
      const told = rejected.next();
      const client = await hello(listening, '');
      await attack(client);
      const event = await soon(told);
      expect(event, name).to.include({ handler: 'Echo', reason: 'proxyProtocol' });
      expect(event['error'], name).to.include({ name: 'ProxyProtocolError', code: 'ERR_PACKET_PROXY_PROTOCOL' });
      expect(await client.all()).to.equal('');
    }
    expect(kit.made).to.have.length(0);
    // And the one place is free.
    const client = await hello(listening, proxyLine(FROM, TO));
    await client.line();
  });

  it('whoever is no proxy is refused before a byte is read, header or not', async () => {
    using rejected = new Events('listener.reject');
    const listening = await serve({ proxyProtocol: { from: ['10.0.0.0/8'] } });
    for (const header of ['hello\n', proxyLine(FROM, TO)]) {
      const told = rejected.next();
      const client = await hello(listening, header);
      expect(await soon(told)).to.include({ reason: 'proxyProtocol' });
      expect(await client.all()).to.equal('');
    }
    expect(rejected.seen[0]!['remote']).to.include({ address: '127.0.0.1' });
    expect(kit.made).to.have.length(0);
  });

  describe('the rules see the client', () => {
    it('allow and deny', async () => {
      using rejected = new Events('listener.reject');
      const listening = await serve({ allow: ['203.0.113.0/24'], deny: ['203.0.113.8'] });
      await (await hello(listening, proxyLine(FROM, TO))).line();
      for (const [address, reason] of [
        ['203.0.113.8', 'deny'],
        ['198.51.100.1', 'allow'],
      ] as const) {
        const told = rejected.next();
        const client = await hello(listening, proxyLine({ address, port: 1 }, TO));
        expect(await soon(told)).to.deep.include({ reason, remote: { url: `tcp://${address}:1`, address, port: 1 } });
        expect(await client.all()).to.equal('');
      }
    });

    it('maxPerPeer, which the proxy does not use up', async () => {
      using rejected = new Events('listener.reject');
      const listening = await serve({ maxPerPeer: 1 });
      const first = await hello(listening, proxyLine(FROM, TO));
      await first.line();
      await (await hello(listening, proxyLine({ address: '203.0.113.8', port: 1 }, TO))).line();
      const told = rejected.next();
      await hello(listening, proxyBinary(FROM, TO));
      expect(await soon(told)).to.include({ reason: 'maxPerPeer' });
      using closed = new Events('connection.close');
      const gone = closed.next();
      await first.destroy();
      await soon(gone);
      await (await hello(listening, proxyBinary(FROM, TO))).line();
    });

    it('maxConnections counts from the first moment; whenFull: pause listens again when a place is free', async () => {
      using rejected = new Events('listener.reject');
      using opened = new Events('listener.open');
      const listening = await serve({ maxConnections: 1, whenFull: 'pause', deny: ['203.0.113.8'] });
      for (const header of [proxyLine({ address: '203.0.113.8', port: 1 }, TO), 'garbage']) {
        const [told, again] = [rejected.next(), opened.next()];
        await hello(listening, header);
        await soon(told);
        await soon(again);
      }
      await (await hello(listening, proxyLine(FROM, TO))).line();
    });
  });

  it('silence is over after handshakeTimeout, and ends with its listener', async () => {
    await kit.close();
    const clock = new FakeClock();
    kit = rig(clock);
    using rejected = new Events('listener.reject');
    const listening = await serve({ maxConnections: 2, handshakeTimeout: '3s' });
    const dribble = await hello(listening, 'PROXY TCP4 ');
    await hello(listening, '');
    const full = rejected.next();
    await hello(listening, '');
    expect(await soon(full)).to.include({ reason: 'maxConnections' });
    await clock.advance('2s');
    await dribble.send('1.2.3.4 ');
    await clock.advance('999ms');
    expect(rejected.seen).to.have.length(1);
    await clock.advance('1ms');
    expect(await dribble.all()).to.equal('');
    expect(rejected.seen.map(({ reason }) => reason)).to.deep.equal(['maxConnections', 'handshakeTimeout', 'handshakeTimeout']);
    const last = await hello(listening, 'PROXY ');
    const told = rejected.next();
    await listening.close();
    expect(await soon(told)).to.include({ reason: 'closed' });
    expect(await last.all()).to.equal('');
  });

  it('a unix socket has no address: permissions say who is a proxy', async () => {
    const listening = await serve({ proxyProtocol: { from: [] } }, `unix:${join(folder, 'proxied.sock')}`);
    const client = await hello(listening, proxyLine(FROM, TO));
    expect(await client.line()).to.equal('tcp://203.0.113.7:50000 tcp://192.0.2.1:443');
    const unknown = await hello(listening, 'PROXY UNKNOWN\r\n');
    expect(await unknown.line()).to.equal(`unix: unix:${join(folder, 'proxied.sock')}`);
  });

  it('a header is read where it is asked for, and nowhere else', async () => {
    const { address } = await kit.listen(Echo, HERE);
    const client = await tcpClient(address.port);
    await client.send(proxyLine(FROM, TO));
    expect((await client.line()).startsWith('tcp://127.0.0.1:')).to.equal(true);
    expect(await client.line()).to.equal(proxyLine(FROM, TO).trim());
  });

  it('an endpoint that cannot read it, or a range that is none, is a mistake at once', async () => {
    const failure = (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        () => expect.fail('it was expected to fail'),
        ({ message }: Error) => message,
      );
    expect(await failure(serve({}, 'udp://127.0.0.1:0'))).to.match(/cannot be reached through a proxy/);
    for (const from of [['10.0.0.0/33'], ['10.0.0.0/8/8'], ['localhost'], ['::/129'], ['']]) {
      expect(await failure(serve({ proxyProtocol: { from } })), String(from)).to.match(/proxyProtocol/);
      expect(await failure(serve({ allow: from })), String(from)).to.match(/allow/);
    }
  });

  describe('with tls:', () => {
    if (!needsProgram('openssl')) return;
    let authority: Authority;
    before(() => (authority = new Authority()));
    after(() => authority[Symbol.dispose]());
    const serveTls = (options: object = {}): Promise<Listening> =>
      serve({ tls: authority.issue('127.0.0.1'), ...options }, 'tls://127.0.0.1:0');
    const secure = (client: TcpClient) => secured(client, { ca: authority.cert, host: '127.0.0.1' });

    it('the header comes before the handshake, in the same packet or not', async () => {
      const listening = await serveTls();
      for (const header of [proxyLine(FROM, TO), proxyBinary(FROM, TO)]) {
        const client = await secure(await hello(listening, header));
        expect(await client.line()).to.equal('tls://203.0.113.7:50000 tls://192.0.2.1:443');
        await client.send('hello\n');
        expect(await client.line()).to.equal('hello');
        const together = await hello(listening, '');
        together.socket.cork();
        together.socket.write(header);
        const securing = secure(together);
        together.socket.uncork();
        expect(await (await securing).line()).to.equal('tls://203.0.113.7:50000 tls://192.0.2.1:443');
      }
    });

    it('a client without it, or whose handshake fails behind it, is refused; rules are asked before the handshake', async () => {
      using rejected = new Events('listener.reject');
      const listening = await serveTls({ deny: ['203.0.113.8'], maxPerPeer: 1 });
      const reasons = async (header: string | Buffer): Promise<unknown> => {
        const told = rejected.next();
        const client = await hello(listening, header);
        const { reason } = await soon(told);
        expect(await client.all()).to.equal('');
        return reason;
      };
      expect(await reasons(Buffer.from('160301', 'hex'))).to.equal('proxyProtocol');
      expect(await reasons(proxyLine({ address: '203.0.113.8', port: 1 }, TO))).to.equal('deny');
      for (let i = 0; i < 3; i++) {
        const told = rejected.next();
        (await hello(listening, `${proxyLine(FROM, TO)}garbage instead of TLS\n`)).end();
        expect(await soon(told)).to.deep.include({ reason: 'handshake', remote: { url: 'tls://203.0.113.7:50000', ...FROM } });
      }
      const client = await secure(await hello(listening, proxyLine(FROM, TO)));
      await client.line();
    });
  });
});
