import { expect } from 'chai';
import '../../src/websocket/index.js';
import { Connection, OnConnect, OnData, Peer } from '../../src/index.js';
import { lines } from '../../src/framing/index.js';
import { openingRefusal, type OpeningRules } from '../../src/websocket/opening.js';
import { Authority } from '../kit/programs/certificates.js';
import { Events } from '../kit/events.js';
import { atEnd, needsProgram, soon, tcpClient, waitFor, webClient } from '../kit/index.js';
import { rig, type Rig } from '../kit/reactor.js';
import { deferred } from '../kit/signals.js';

const OPENING = {
  host: '127.0.0.1:80',
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

/** What a request with these headers is told. */
function told(headers: Record<string, string>, rules: Partial<OpeningRules> = {}, localAddress = '127.0.0.1'): number | undefined {
  const request = { method: 'GET', headers: { ...OPENING, ...headers }, socket: { localAddress } };
  // Of a request, this is what is looked at.
  return openingRefusal(request as unknown as Parameters<typeof openingRefusal>[0], {
    origins: [],
    hosts: [],
    protocols: undefined,
    ...rules,
  })?.status;
}

/** The words of a client that asks with these lines. */
function opening(path: string, ...lines: string[]): string {
  return `GET ${path} HTTP/1.1\r\n${lines.map(line => `${line}\r\n`).join('')}\r\n`;
}
const WELL = ['Host: 127.0.0.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';

describe('who may open a websocket', () => {
  it('a page of the same host, and none of another, unless it is named', () => {
    expect(told({ origin: 'http://127.0.0.1' })).to.equal(undefined);
    expect(told({ host: 'example.com', origin: 'https://example.com' }, {}, '10.0.0.1')).to.equal(undefined);
    expect(told({ host: 'example.com:8080', origin: 'https://example.com:8080' }, {}, '10.0.0.1')).to.equal(undefined);
    expect(told({ host: 'EXAMPLE.com', origin: 'https://example.com:443' }, {}, '10.0.0.1')).to.equal(undefined);
    for (const origin of ['https://example.com.evil.org', 'https://evil.org', 'https://example.com:81', 'null', '', 'nonsense']) {
      expect(told({ host: 'example.com', origin }, {}, '10.0.0.1'), origin).to.equal(403);
    }
    const origins = ['https://app.example.org'];
    expect(told({ host: 'example.com', origin: 'https://app.example.org' }, { origins }, '10.0.0.1')).to.equal(undefined);
    expect(told({ host: 'example.com', origin: 'http://app.example.org' }, { origins }, '10.0.0.1')).to.equal(403);
    expect(told({ host: 'example.com', origin: 'https://example.com' }, { origins }, '10.0.0.1')).to.equal(undefined);
    expect(told({ host: 'example.com', origin: 'https://any.org' }, { origins: ['*'] }, '10.0.0.1')).to.equal(undefined);
  });

  it('on the loopback nobody by a name that is not the loopback’s own, unless it is named', () => {
    for (const host of ['127.0.0.1', '127.0.0.1:8080', '[::1]:80', 'localhost', 'LOCALHOST:80', '10.1.2.3']) {
      expect(told({ host }), host).to.equal(undefined);
    }
    for (const host of ['evil.org', 'localhost.evil.org', '127.0.0.1.nip.io:80']) expect(told({ host }), host).to.equal(403);
    expect(told({ host: 'evil.org' }, {}, '::1')).to.equal(403);
    expect(told({ host: 'evil.org' }, {}, '::ffff:127.0.0.1')).to.equal(403);
    expect(told({ host: 'dev.test:3000' }, { hosts: ['Dev.test'] })).to.equal(undefined);
    expect(told({ host: 'evil.org' }, {}, '192.168.1.7')).to.equal(undefined);
  });

  it('only who asks as RFC 6455 says', () => {
    expect(told({})).to.equal(undefined);
    expect(told({ 'sec-websocket-version': '8' })).to.equal(426);
    expect(told({ 'sec-websocket-key': 'short' })).to.equal(400);
    for (const host of ['', 'a b', 'user@127.0.0.1', '127.0.0.1/x', '127.0.0.1:port']) expect(told({ host }), host).to.equal(400);
    expect(told({ 'sec-websocket-protocol': 'a b' })).to.equal(400);
    expect(told({ 'sec-websocket-protocol': 'mqtt' }, { protocols: ['mqtt'] })).to.equal(undefined);
    expect(told({ 'sec-websocket-protocol': 'stomp, mqtt' }, { protocols: ['mqtt'] })).to.equal(undefined);
    expect(told({ 'sec-websocket-protocol': 'stomp' }, { protocols: ['mqtt'] })).to.equal(400);
    expect(told({}, { protocols: ['mqtt'] })).to.equal(undefined);
  });
});

describe('the door of a websocket endpoint', () => {
  let r: Rig;
  beforeEach(() => (r = rig()));
  afterEach(() => r.close());

  @Connection({ framing: lines() })
  class Echo {
    constructor(readonly peer: Peer<string, string>) {}
    @OnData() echo(line: string) {
      return line;
    }
  }

  it('says in HTTP why there is no websocket', async () => {
    const { port } = (await r.listen(Echo, 'ws://127.0.0.1:0/chat')).address;
    for (const [words, status] of [
      [opening('/chat', 'Host: 127.0.0.1'), 426],
      [opening('/elsewhere', 'Host: 127.0.0.1'), 404],
      [opening('/elsewhere', ...WELL, KEY), 404],
      [opening('/chat/', ...WELL, KEY), 404],
      [opening('/chat', ...WELL), 400],
      [opening('/chat', ...WELL, KEY, 'Origin: http://evil.org'), 403],
      [opening('/chat', ...WELL, KEY).replace('127.0.0.1', 'evil.org'), 403],
      [opening('/chat', ...WELL, KEY).replace(': 13', ': 7'), 426],
      [opening('/chat', ...WELL, KEY).replace('GET', 'POST'), 405],
      [opening('/chat', ...WELL, KEY).replace('Upgrade: websocket', 'Upgrade: h2c'), 426],
      ['\r\n\r\nnonsense\r\n\r\n', 400],
    ] as const) {
      const client = await tcpClient(port);
      await client.send(words);
      expect(await client.all(), words).to.match(new RegExp(`^HTTP/1.1 ${status} `));
      await client.destroy();
    }
    expect(r.made).to.have.length(0);
  });

  it('survives who is refused and has reset the connection already', async () => {
    const { port } = (await r.listen(Echo, 'ws://127.0.0.1:0/chat')).address;
    for (const origin of ['http://evil.org', 'http://127.0.0.1']) {
      const client = await tcpClient(port);
      // Both are there before the server reads the one.
      client.socket.write(opening(origin.includes('evil') ? '/chat' : '/elsewhere', ...WELL, KEY, `Origin: ${origin}`));
      client.reset();
      await client.closed;
    }
    const polite = await tcpClient(port);
    await polite.send(opening('/chat', ...WELL, KEY, 'Origin: http://evil.org'));
    expect(await polite.all()).to.match(/^HTTP\/1.1 403 /);
  });

  it('counts connections before it opens them, and tells whom it refuses', async () => {
    const refused = new Events('listener.reject');
    const { address } = await r.listen(Echo, { url: 'ws://127.0.0.1:0', maxConnections: 1 });
    const first = await webClient(address.url);
    const second = await tcpClient(address.port);
    await second.send(opening('/', ...WELL, KEY));
    expect(await second.all()).to.match(/^HTTP\/1.1 503 /);
    expect(refused.seen.map(({ reason }) => reason)).to.deep.equal(['maxConnections']);
    first.socket.close();
    await first.closed;
    await waitFor(() => r.core.count() === 0);
    expect((await webClient(address.url)).socket.readyState).to.equal(1);
    refused[Symbol.dispose]();
  });

  it('answers with 500 when the handler cannot be made, and others are served', async () => {
    let broken = true;
    @Connection({ framing: lines() })
    class Moody {
      constructor() {
        if (broken) throw new Error('not today');
      }
      @OnConnect() greet() {
        return 'hello';
      }
    }
    const { address } = await r.listen(Moody, 'ws://127.0.0.1:0');
    const client = await tcpClient(address.port);
    await client.send(opening('/', ...WELL, KEY));
    expect(await client.all())
      .to.match(/^HTTP\/1.1 500 /)
      .and.not.contain('not today');
    broken = false;
    expect(await (await webClient(address.url)).next()).to.equal('hello');
  });

  it('shares its port with others of the same reactor, each by its path, and frees it with the last', async () => {
    @Connection({ framing: lines() })
    class Loud {
      @OnData() echo(line: string) {
        return line.toUpperCase();
      }
    }
    const a = await r.listen(Echo, 'ws://127.0.0.1:0/a');
    const { port } = a.address;
    const b = await r.listen(Loud, `ws://127.0.0.1:${port}/b`);
    for (const [path, answer] of [
      ['a', 'x'],
      ['b', 'X'],
    ] as const) {
      const client = await webClient(`ws://127.0.0.1:${port}/${path}?q`);
      client.send('x');
      expect(await client.next()).to.equal(answer);
    }
    const same = await r.listen(Loud, `ws://127.0.0.1:${port}/b`).catch((error: Error) => error);
    expect(same).to.have.property('name', 'ListenError');
    await a.suspend();
    const refused = await tcpClient(port);
    await refused.send(opening('/a', ...WELL, KEY));
    expect(await refused.all()).to.match(/^HTTP\/1.1 404 /);
    await a.resume();
    await webClient(a.address.url);
    await b.close();
    await a.close();
    await (await r.listen(Echo, `tcp://127.0.0.1:${port}`)).close();
  });

  it('speaks TLS on wss:, both ways, verified', async function () {
    if (!needsProgram('openssl')) return;
    const authority = new Authority();
    atEnd(() => authority[Symbol.dispose]());
    const { address } = await r.listen(Echo, { url: 'wss://localhost:0/safe', tls: authority.issue('localhost', '127.0.0.1') });
    const url = `wss://localhost:${address.port}/safe`;
    const client = await webClient(url, [], { ca: authority.cert });
    client.send('x');
    expect(await client.next()).to.equal('x');
    const [{ peer }] = r.made as [Echo];
    expect(peer.tls!.protocol).to.match(/^TLSv1/);
    expect(peer.request!.url).to.equal(url);
    const heard = deferred<string>();
    @Connection({ framing: lines() })
    class Client {
      constructor(readonly peer: Peer<string, string>) {}
      @OnConnect() ask() {
        return 'over tls';
      }
      @OnData() hear(line: string) {
        heard.resolve(line);
      }
    }
    const dialed = await r.reactor.connect(Client, url as 'wss://x', { tls: { ca: authority.cert } });
    expect(await soon(heard.promise)).to.equal('over tls');
    expect(dialed.peer.tls).to.include({ authorized: true });
    const distrusted = await r.reactor.connect(Client, url as 'wss://x').catch((error: unknown) => error);
    expect(distrusted).to.include({ name: 'ConnectError', reason: 'tls' });
    const plain = await tcpClient(address.port);
    await plain.send('GET / HTTP/1.1\r\n\r\n');
    await plain.all();
  });

  it('is told what is wrong with its url when it is written', async () => {
    const wrong = (where: object | string): Promise<string> => r.listen(Echo, where as 'ws://x').then(String, String);
    expect(await wrong('ws://127.0.0.1:99999')).to.contain('there is no port 99999: ports are 0 to 65535');
    expect(await wrong('ws://127.0.0.1:http')).to.contain("not written like 'ws://host:port/path'");
    expect(await wrong('ws://127.0.0.1:0/chat?room=1')).to.contain('leave the query out');
    expect(await wrong('wss://127.0.0.1:0')).to.contain('no certificate');
    expect(await r.reactor.connect(Echo, 'ws://127.0.0.1:0').then(String, String)).to.contain('port 0');
  });
});
