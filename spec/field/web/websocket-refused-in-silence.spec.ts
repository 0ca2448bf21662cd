import { expect } from 'chai';
import { bootstrap, ConfigurationError, Connection, Module, OnData, type ConnectionOptions } from 'packet-ts';
import 'packet-ts/websocket';
import { Events } from '../../kit/events.js';
import { atEnd, tcpClient, waitFor } from '../../kit/index.js';

/** What bootstrap says of a connection with these options. */
async function toldOf(options: ConnectionOptions<Buffer, Buffer>): Promise<string> {
  @Connection(options)
  class Chat {
    @OnData() hear() {}
  }
  @Module({ connections: [Chat] })
  class AppModule {}
  try {
    const app = await bootstrap(AppModule, { logger: false, signals: false });
    await app.close();
    return 'nothing';
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigurationError);
    return (error as Error).message;
  }
}

const listen = 'ws://127.0.0.1:0/chat';

describe('a websocket that is refused', () => {
  const HEAD: Readonly<Record<string, string>> = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  const CASES: readonly (readonly [string, string, number, Readonly<Record<string, string>>, string?, string?])[] = [
    ['by its Origin', 'origins', 403, { Origin: 'https://evil.example' }],
    ['by its Host', 'hosts', 403, { Host: 'rebound.example' }],
    ['by a Host that makes no sense', 'target', 400, { Host: 'a/b' }],
    ['by its subprotocol', 'protocols', 400, { 'Sec-WebSocket-Protocol': 'v9' }],
    ['by its version', 'version', 426, { 'Sec-WebSocket-Version': '8' }],
    ['by its key', 'key', 400, { 'Sec-WebSocket-Key': 'short' }],
    ['by its method', 'method', 405, {}, 'POST'],
    ['by its path', 'path', 404, {}, 'GET', '/elsewhere'],
    ['by its body', 'body', 400, { 'Content-Length': '3' }],
  ];
  for (const [how, reason, status, headers, method = 'GET', path = '/chat'] of CASES)
    it(`${how} is an event, with the reason and the address`, async () => {
      @Connection({ listen, protocols: ['v1'] })
      class Chat {
        @OnData() hear() {}
      }
      @Module({ connections: [Chat] })
      class AppModule {}
      using refused = new Events('listener.reject');
      const app = await bootstrap(AppModule, { logger: false, signals: false });
      atEnd(() => app.close());
      const client = await tcpClient(app.address(Chat).port);
      const lines = Object.entries({ ...HEAD, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
      await client.send(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
      expect(await client.line()).to.contain(` ${status} `);
      await waitFor(() => refused.seen.length === 1);
      expect(refused.seen[0]).to.include({ reason });
      expect(refused.seen[0]!['why']).to.be.a('string');
      expect(refused.seen[0]!['remote']).to.include({ address: '127.0.0.1' });
    });
});

describe('an option that no client can ever match', () => {
  const WRONG: Readonly<Record<string, readonly unknown[]>> = {
    origins: ['https://a.example/', 'a.example', 'https://a.example:443', 'https://A.example', 'https://a.example/chat', '*.a.example', ''],
    hosts: ['a:443', 'https://a', 'a/b', '', '*', '*.a.example', 'bücher.example', 'a b'],
    protocols: ['a b', 'a,b', '', 'a/b'],
  };
  for (const [option, values] of Object.entries(WRONG))
    for (const value of values)
      it(`${option}: [${JSON.stringify(value)}] is told at bootstrap`, async () => {
        expect(await toldOf({ listen, [option]: [value] })).to.match(new RegExp(`${option} is .*expected`, 's'));
      });

  for (const name of ['*', 'a:443', '127.0.0.1', 'a.example.', 'a.*.example', 'bücher.example', ''])
    it(`the sni name ${JSON.stringify(name)} is told at bootstrap`, async () => {
      expect(await toldOf({ listen: 'tls://127.0.0.1:0', tls: { sni: { [name]: {} } } })).to.contain(`sni name '${name}'`);
    });

  for (const alpn of ['', 'x'.repeat(256)])
    it(`an ALPN protocol of ${alpn.length} bytes is told at bootstrap`, async () => {
      expect(await toldOf({ listen: 'tls://127.0.0.1:0', tls: { alpn: [alpn] } })).to.match(/alpn is .*1 to 255 bytes/s);
    });

  it('is none where clients do send it', async () => {
    const origins = ['*', 'null', 'https://a.example', 'http://a.example:8080', 'https://xn--bcher-kva.example', 'http://[::1]:3000'];
    const extension = 'chrome-extension://abcdefgh';
    const hosts = ['a', 'a.example', 'A.example', 'my_host', '127.0.0.1', '::1', '[::1]', 'xn--bcher-kva.example'];
    expect(await toldOf({ listen, origins: [...origins, extension], hosts, protocols: ['mqtt', 'v1.b+json', 'graphql-ws'] })).to.equal(
      'nothing',
    );
  });
});
