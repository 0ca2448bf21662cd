import { connect as tlsConnect } from 'node:tls';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import express from 'express';
import { Connection, exec, Module, OnData, bootstrap, type App } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { mount, OnRequest } from 'packet-ts/http';
import 'packet-ts/websocket';
import type { Certificate } from '../../kit/programs/certificates.js';
import { atEnd, soon, waitFor } from '../../kit/index.js';
import { masked, upgrade } from './web-bytes.js';

const LARGE = 300_000;

function answerOf(line: string): string {
  return line === 'large' ? 'x'.repeat(LARGE) : line;
}

/** Dials back to whatever it is given. */
@Connection({ framing: lines() })
class Outgoing {
  @OnData() hear() {}
}

/** One server of every kind, as classes of its own. */
export function servers(folder: string, identity: Certificate) {
  @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines({ maxLength: '1mb' }) })
  class Tcp {
    @OnData() echo(line: string) {
      return answerOf(line);
    }
  }
  @Connection({ listen: { url: 'tcp://127.0.0.1:0', proxyProtocol: { from: ['127.0.0.0/8'] } }, framing: lines() })
  class Proxied {
    @OnData() echo(line: string) {
      return answerOf(line);
    }
  }
  @Connection({ listen: `unix:${folder}/lives.sock`, framing: lines() })
  class Unix {
    @OnData() echo(line: string) {
      return answerOf(line);
    }
  }
  @Connection({ listen: { url: 'tls://127.0.0.1:0', tls: identity }, framing: lines() })
  class Tls {
    @OnData() echo(line: string) {
      return answerOf(line);
    }
  }
  @Connection({ listen: 'udp://127.0.0.1:0', framing: lines() })
  class Udp {
    @OnData() echo(line: string) {
      return answerOf(line);
    }
  }
  @Connection({
    listen: [
      { url: 'http://127.0.0.1:0', idleTimeout: 100 },
      { url: 'https://127.0.0.1:0', tls: identity },
    ],
  })
  class Web {
    @OnRequest() async answer(request: Request) {
      return new Response(answerOf(request.method === 'POST' ? await request.text() : 'large'));
    }
  }
  @Connection({ listen: [{ url: 'ws://127.0.0.1:0/chat' }, { url: 'wss://127.0.0.1:0/chat', tls: identity }], framing: lines() })
  class Chat {
    @OnData() echo(line: string) {
      return answerOf(line);
    }
  }
  const framework = express().use((request, response) => {
    request.resume().on('end', () => response.send('x'.repeat(LARGE)));
  });
  const Mounted = mount(() => framework, { listen: 'http://127.0.0.1:0' });
  return { Tcp, Proxied, Unix, Tls, Udp, Web, Chat, Mounted, Outgoing };
}

export type Servers = ReturnType<typeof servers>;

export async function open(folder: string, identity: Certificate): Promise<{ readonly app: App; readonly classes: Servers }> {
  const classes = servers(folder, identity);
  const { Tcp, Proxied, Unix, Tls, Udp, Web, Chat, Mounted } = classes;
  class AppModule {}
  Module({ connections: [Tcp, Proxied, Unix, Tls, Udp, Web, Chat, Mounted] })(AppModule);
  const app = await bootstrap(AppModule, { logger: false, signals: false });
  atEnd(() => app.close({ timeout: 1 }));
  return { app, classes };
}

/** Sends, and reads until the other side has closed; `last` is how the client leaves. */
async function talk(socket: Socket, words: readonly (string | Buffer)[], last: 'end' | 'reset' | 'stay'): Promise<void> {
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  atEnd(() => socket.destroy());
  // Slow at first: what is answered must wait for room.
  for (const word of words) if (!socket.destroyed) await new Promise<void>(resolve => socket.write(word, () => resolve()));
  socket.resume();
  if (last === 'end') socket.end();
  else if (last === 'reset') {
    await Promise.race([once(socket, 'data').catch(() => {}), closed]);
    socket.resetAndDestroy();
  }
  await soon(closed, { within: '8s', what: 'the connection to end' });
}

const GET = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nlarge\r\n0\r\n\r\n';
const LINES = ['one\ntwo\n', 'large\n', 'large\nthree\n'];
const MESSAGES = [masked(9, 'ping'), masked(1, 'large'), masked(10, 'pong'), masked(1, 'large'), masked(9, 'ping'), masked(1, 'x')];

/** The life of a client, by what it does. Each resolves when its connection is over, whatever ends it. */
export function lives(
  { app, classes }: { readonly app: App; readonly classes: Servers },
  authority: string,
): Record<string, () => Promise<void>> {
  const { Tcp, Proxied, Unix, Tls, Udp, Web, Chat, Mounted } = classes;
  const to = (cls: object, index = 0): Socket => connect({ port: app.addresses(cls as typeof Tcp)[index]!.port, host: '127.0.0.1' });
  const securely = (cls: object, index: number): Socket =>
    tlsConnect({ port: app.addresses(cls as typeof Tcp)[index]!.port, host: '127.0.0.1', rejectUnauthorized: false });
  const dialling = async (endpoint: Parameters<App['reactor']['connect']>[1], options = {}): Promise<void> => {
    const dialled = await app.reactor.connect(classes.Outgoing, endpoint, options).catch(() => undefined);
    if (!dialled) return;
    for (const { peer } of app.reactor.connections(classes.Outgoing)) peer.end();
    await waitFor(() => app.reactor.connections(classes.Outgoing).count === 0, { within: '8s' });
  };
  return {
    'tcp:': () => talk(to(Tcp), LINES, 'end'),
    'tcp: that is reset': () => talk(to(Tcp), LINES, 'reset'),
    'tcp: behind a proxy': () => talk(to(Proxied), ['PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n', ...LINES], 'end'),
    'unix:': () => talk(connect({ path: app.address(Unix).url.slice('unix:'.length) }), LINES, 'end'),
    'tls:': () => talk(securely(Tls, 0), LINES, 'end'),
    'tls: without TLS': () => talk(to(Tls), LINES, 'stay'),
    'http:': () => talk(to(Web), [GET, POST, `${POST}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`], 'stay'),
    'http: that waits for a next request': () => talk(to(Web), [GET], 'stay'),
    'http: that pipelines': () =>
      talk(to(Web), [GET.repeat(40) + POST, GET.repeat(20).replace(/\r\n$/, 'Connection: close\r\n\r\n')], 'stay'),
    'http: that sends no request': () => talk(to(Web), ['no request\r\n\r\n'], 'stay'),
    'http: of a framework': () => talk(to(Mounted), [GET, POST, `${POST}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`], 'stay'),
    'http: of a framework, that is reset': () => talk(to(Mounted), [GET, POST], 'reset'),
    'http: that is reset': () => talk(to(Web), [GET, POST], 'reset'),
    'https:': () => talk(securely(Web, 1), [POST, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'], 'stay'),
    'ws:': () => talk(to(Chat), [upgrade('websocket', '/chat'), ...MESSAGES, masked(8, '')], 'stay'),
    'ws: that breaks the protocol': () => talk(to(Chat), [upgrade('websocket', '/chat'), ...MESSAGES, Buffer.alloc(20, 0xff)], 'stay'),
    'ws: that is reset': () => talk(to(Chat), [upgrade('websocket', '/chat'), ...MESSAGES], 'reset'),
    'ws: behind requests': () => talk(to(Chat), [`${GET}${GET}${upgrade('websocket', '/chat')}`, masked(8, '')], 'end'),
    'ws: that is refused': () => talk(to(Chat), [upgrade('websocket', '/nothing')], 'stay'),
    'wss:': () => talk(securely(Chat, 1), [upgrade('websocket', '/chat'), ...MESSAGES, masked(8, '')], 'stay'),
    'udp:': async () => {
      const socket = createSocket('udp4');
      const closed = once(socket, 'close');
      socket.send('hello', app.address(Udp).port, '127.0.0.1', () => socket.close());
      await closed;
    },
    'dialling tcp:': () => dialling(`tcp://127.0.0.1:${app.address(Tcp).port}`),
    'dialling nobody': () => dialling('tcp://127.0.0.1:1'),
    'dialling tls:': () => dialling({ url: `tls://127.0.0.1:${app.address(Tls).port}`, tls: { ca: authority } }),
    'dialling ws:': () => dialling(`ws://127.0.0.1:${app.address(Chat).port}/chat`),
    'dialling ws: that is refused': () => dialling(`ws://127.0.0.1:${app.address(Chat).port}/nothing`),
    'a command': () => dialling(exec('cat')),
  };
}
