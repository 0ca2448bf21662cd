import { expect } from 'chai';
import '../../src/http/index.js';
import '../../src/websocket/index.js';
import { Connection } from '../../src/decorators/connection/connection.js';
import { OnConnect, OnRequest } from '../../src/decorators/connection/connection-hooks.js';
import type { PerEndpoint } from '../../src/decorators/connection/endpoint-types.js';
import { Peer, type Listening, type Where } from '../../src/reactor/index.js';
import { Authority } from '../kit/programs/certificates.js';
import { Events } from '../kit/events.js';
import { needsProgram, soon, tcpClient, type TcpClient } from '../kit/index.js';
import { proxyBinary, proxyHeader, proxyLine } from '../kit/clients/proxy-header.js';
import { rig, type Rig } from '../kit/reactor.js';
import { secured } from '../kit/clients/tls-client.js';

const FROM = { address: '203.0.113.7', port: 50_000 };
const TO = { address: '192.0.2.1', port: 443 };
const REQUEST = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';

/** Says who asked. */
@Connection()
class Whoami {
  @OnRequest() answer(_request: Request, { remote }: { remote: { url: string } }) {
    return new Response(`you are ${remote.url}`);
  }
}

/** The same, as a websocket. */
@Connection()
class Greeter {
  constructor(private readonly peer: Peer) {}
  @OnConnect() greet() {
    return `you are ${this.peer.remote.url}, I am ${this.peer.local.url}`;
  }
}

describe('http and websockets behind a proxy', () => {
  let kit: Rig;
  beforeEach(() => (kit = rig()));
  afterEach(() => kit.close());

  const serve = (options: PerEndpoint<unknown, unknown> = {}, where: Where = 'http://127.0.0.1:0'): Promise<Listening> =>
    kit.listen(where.toString().startsWith('ws') ? Greeter : Whoami, where, { proxyProtocol: { from: ['127.0.0.1'] }, ...options });
  const ask = async ({ address }: Listening, ...parts: (string | Buffer)[]): Promise<TcpClient> => {
    const client = await tcpClient(address.port);
    for (const part of parts) await client.send(part);
    return client;
  };

  it('a request comes from whom the header names, in the same packet or not', async () => {
    const listening = await serve();
    const together = await ask(listening, `${proxyLine(FROM, TO)}${REQUEST}`);
    expect(await together.all()).to.match(/you are http:\/\/203\.0\.113\.7:50000/);
    const apart = await ask(listening, proxyBinary(FROM, TO).subarray(0, 20), proxyBinary(FROM, TO).subarray(20), REQUEST);
    expect(await apart.all()).to.match(/you are http:\/\/203\.0\.113\.7:50000/);
    const check = await ask(listening, proxyHeader(0x20, 0, Buffer.alloc(0)), REQUEST);
    expect(await check.all()).to.match(/you are http:\/\/127\.0\.0\.1:\d+/);
  });

  it('every request of a connection does, and a body in many parts arrives whole', async () => {
    @Connection()
    class Length {
      @OnRequest() async answer(request: Request, { remote }: { remote: { url: string } }) {
        return new Response(`${(await request.arrayBuffer()).byteLength} bytes from ${remote.url};`);
      }
    }
    const listening = await kit.listen(Length, 'http://127.0.0.1:0', { proxyProtocol: { from: ['127.0.0.1'] }, maxMessageSize: '2mb' });
    const client = await ask(listening, proxyLine(FROM, TO));
    for (const length of [0, 1_000_000, 10]) {
      await client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`);
      await client.send('x'.repeat(length));
      await client.inbox.lineLike(/^\r?$/);
      const answer = `${length} bytes from http://203.0.113.7:50000;`;
      expect((await client.bytes(answer.length)).toString()).to.equal(answer);
    }
  });

  it('a websocket, too', async () => {
    const listening = await serve({ hosts: ['a.example'] }, 'ws://127.0.0.1:0/chat');
    const head = 'GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
    const client = await ask(listening, proxyLine(FROM, TO), `${head}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`);
    await client.inbox.lineLike(/^\r?$/);
    const greeting = 'you are ws://203.0.113.7:50000, I am ws://192.0.2.1:443/chat';
    expect((await client.bytes(2 + greeting.length)).toString('latin1', 2)).to.equal(greeting);
  });

  it('what begins without a header, or comes from elsewhere, is closed and told of', async () => {
    using rejected = new Events('listener.reject');
    const listening = await serve();
    const garbage = await ask(listening, REQUEST);
    expect(await garbage.all()).to.equal('');
    expect(rejected.seen[0]).to.include({ reason: 'proxyProtocol' });
    expect(rejected.seen[0]!['error']).to.include({ name: 'ProxyProtocolError' });
    const others = await serve({ proxyProtocol: { from: ['10.0.0.0/8'] } });
    const told = rejected.next();
    const spoofed = await ask(others, `${proxyLine(FROM, TO)}${REQUEST}`);
    expect(await soon(told)).to.include({ reason: 'proxyProtocol' });
    expect(await spoofed.all()).to.equal('');
    expect(kit.made).to.deep.equal([]);
  });

  it('allow and deny see the client', async () => {
    using rejected = new Events('listener.reject');
    const listening = await serve({ deny: ['203.0.113.7'] });
    const told = rejected.next();
    const client = await ask(listening, proxyLine(FROM, TO), REQUEST);
    expect(await soon(told)).to.deep.include({ reason: 'deny', remote: { url: 'http://127.0.0.1:0', address: '203.0.113.7' } });
    expect(await client.all()).to.equal('');
    const other = await ask(listening, proxyLine({ address: '203.0.113.8', port: 1 }, TO), REQUEST);
    expect(await other.all()).to.match(/you are http:\/\/203\.0\.113\.8:1/);
  });

  it('silence before the header is over when the time for a head is; closing waits for nobody there', async () => {
    using rejected = new Events('listener.reject');
    const listening = await serve({ firstMessageTimeout: '100ms' });
    const told = rejected.next();
    const dribble = await ask(listening, 'PROXY ');
    expect(await soon(told)).to.include({ reason: 'proxyProtocol' });
    expect(await dribble.all()).to.equal('');
    const patient = await serve();
    const pending = await ask(patient, 'PROXY ');
    await patient.close();
    expect(await pending.all()).to.equal('');
  });

  it('of one port: with proxies or without, not both', async () => {
    const { address } = await serve({}, 'http://127.0.0.1:0/a');
    const error = await kit.listen(Whoami, `http://127.0.0.1:${address.port}/b`).then(
      () => expect.fail('it was expected to fail'),
      (thrown: Error) => thrown,
    );
    expect(error).to.include({ name: 'ListenError' });
    expect(error.message).to.match(/proxies/);
  });

  describe('with TLS', () => {
    if (!needsProgram('openssl')) return;
    let authority: Authority;
    before(() => (authority = new Authority()));
    after(() => authority[Symbol.dispose]());

    it('the header comes before the handshake', async () => {
      const listening = await serve({ tls: authority.issue('127.0.0.1') }, 'https://127.0.0.1:0');
      const client = await secured(await ask(listening, proxyBinary(FROM, TO)), { ca: authority.cert, host: '127.0.0.1' });
      await client.send(REQUEST);
      expect(await client.all()).to.match(/you are https:\/\/203\.0\.113\.7:50000/);
    });
  });
});
