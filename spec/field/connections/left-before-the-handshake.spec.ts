import { connect } from 'node:net';
import { expect } from 'chai';
import 'packet-ts/websocket';
import { bootstrap, Connection, inject, Module, OnData, Peer } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { OnRequest } from 'packet-ts/http';
import type { Ctor } from '../../../src/decorators/ctor.js';
import { Authority, type Certificate } from '../../kit/programs/certificates.js';
import { atEnd, needsProgram, tcpClient, TcpClient } from '../../kit/index.js';
import { proxyLine } from '../../kit/clients/proxy-header.js';

const HOUR = '1h';
const PROXIES = { from: ['127.0.0.1'] };
const HEADER = proxyLine({ address: '203.0.113.7', port: 50_000 }, { address: '192.0.2.1', port: 443 });
/** Where a FIN arrives relative to the steps of a handshake is chance: enough clients that all of them are met. */
const CLIENTS = 25;

describe('a client that leaves before the first byte of its TLS handshake', () => {
  if (!needsProgram('openssl')) return;
  let authority: Authority;
  let tls: Certificate;
  before(() => {
    authority = new Authority();
    tls = authority.issue('127.0.0.1');
  });
  after(() => authority[Symbol.dispose]());

  const portOf = async (cls: Ctor): Promise<number> => {
    class AppModule {}
    Module({ connections: [cls] })(AppModule);
    const app = await bootstrap(AppModule, { signals: false, logger: false });
    atEnd(() => app.close({ timeout: 1 }));
    return app.address(cls).port;
  };
  /** Resolves when the server has closed all of them: handshakeTimeout, an hour, is not what does it. */
  const leave = async (port: number, header = ''): Promise<void> => {
    const clients = Array.from({ length: CLIENTS }, () => {
      const client = new TcpClient(connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
      atEnd(() => client.destroy());
      client.end(header);
      return client;
    });
    await Promise.all(clients.map(client => client.closed));
  };
  const serve = (listen: string, options: object): Ctor => {
    // Cast: a scheme that the spec writes.
    @Connection({ listen: listen as 'tls://127.0.0.1:0', framing: lines(), tls, handshakeTimeout: HOUR, ...options })
    class Server {
      @OnData() data(line: string): string {
        return line;
      }
    }
    return Server;
  };
  const web = (options: object): Ctor => {
    @Connection({ listen: 'https://127.0.0.1:0', tls, handshakeTimeout: HOUR, ...options })
    class Web {
      @OnRequest() answer(): Response {
        return new Response('here');
      }
    }
    return Web;
  };

  for (const [name, options, header] of [
    ['', {}, ''],
    [' behind a proxy', { proxyProtocol: PROXIES }, HEADER],
  ] as const) {
    it(`is noticed at once on tls:${name}`, async () => leave(await portOf(serve('tls://127.0.0.1:0', options)), header));
    it(`is noticed at once on wss:${name}`, async () => leave(await portOf(serve('wss://127.0.0.1:0', options)), header));
    it(`is noticed at once on https:${name}`, async () => leave(await portOf(web(options)), header));
  }

  it('is noticed at once after STARTTLS', async () => {
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines(), tls, handshakeTimeout: HOUR })
    class Start {
      constructor(@inject(Peer) private readonly peer: Peer<string, string>) {}
      @OnData() async data(line: string): Promise<string | undefined> {
        if (line !== 'STARTTLS') return line;
        this.peer.send('go');
        await this.peer.startTls();
        return undefined;
      }
    }
    const port = await portOf(Start);
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => tcpClient(port)));
    await Promise.all(
      clients.map(async client => {
        await client.send('STARTTLS\n');
        expect(await client.line()).to.equal('go');
        client.end();
        await client.closed;
      }),
    );
  });
});
