import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { Connection, Module, OnClose, OnData, OnError, type CloseReason } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { OnRequest } from 'packet-ts/http';
import 'packet-ts/websocket';
import { bootstrap, type App } from 'packet-ts';
import type { Ctor } from '../../../src/decorators/ctor.js';
import { Events } from '../../kit/events.js';
import { atEnd, soon, tcpClient, waitFor, webClient } from '../../kit/index.js';

const UPGRADE =
  'GET /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

async function serve(...connections: Ctor[]): Promise<App> {
  @Module({ connections })
  class AppModule {}
  const app = await bootstrap(AppModule, { logger: false, signals: false });
  atEnd(() => app.close({ timeout: 1 }));
  return app;
}

/** Many sockets that send the same and wait; they end with the test. */
async function crowd(size: number, port: number, words: string): Promise<{ readonly sockets: Socket[]; closed(): number }> {
  let closed = 0;
  const sockets: Socket[] = [];
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(
    Array.from({ length: size }, () => {
      const socket = connect({ port, host: '127.0.0.1' });
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('close', () => closed++);
      socket.resume();
      return new Promise<void>(resolve => {
        socket.on('connect', () => (words === '' ? resolve() : socket.write(words, () => resolve())));
        socket.on('close', () => resolve());
      });
    }),
  );
  return { sockets, closed: () => closed };
}

/** A masked frame as a client sends it, with a mask of zeros. */
function frame(opcode: number, payload: Uint8Array, { fin = true, length = payload.length } = {}): Buffer {
  const head =
    length < 126
      ? [0x80 | length]
      : length < 65_536
        ? [0x80 | 126, length >> 8, length & 255]
        : [0x80 | 127, 0, 0, 0, 0, (length >>> 24) & 255, (length >> 16) & 255, (length >> 8) & 255, length & 255];
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | opcode, ...head, 0, 0, 0, 0]), payload]);
}

describe('attacks on ws: and http:', function () {
  const reasons: CloseReason[] = [];
  beforeEach(() => void reasons.splice(0));
  @Connection({
    listen: { url: 'ws://127.0.0.1:0/chat', handshakeTimeout: '500ms', maxMessageSize: '64kb', maxConnections: 2_000 },
    framing: lines({ maxLength: '64kb' }),
  })
  class Chat {
    @OnData() echo(line: string) {
      return line;
    }
    @OnClose() over(reason: CloseReason) {
      reasons.push(reason);
    }
  }
  @Connection({ listen: { url: 'http://127.0.0.1:0', firstMessageTimeout: '500ms', messageTimeout: '500ms', maxConnections: 2_000 } })
  class Web {
    @OnRequest() async answer(request: Request) {
      return new Response(String((await request.text()).length));
    }
    @OnError() never() {}
  }

  /** A websocket whose bytes the test writes itself. */
  async function rawSocket(app: App) {
    const client = await tcpClient(app.address(Chat).port);
    await client.send(`${UPGRADE}\r\n`);
    while ((await client.line()) !== '');
    return client;
  }

  async function servesOthers(app: App): Promise<void> {
    const client = await webClient(app.address(Chat).url);
    client.send('still here');
    expect(await client.next()).to.equal('still here');
    client.socket.close();
    await client.closed;
  }

  for (const [what, words] of [
    ['say nothing', ''],
    ['send half a request for an upgrade', UPGRADE],
    ['send a header byte by byte without end', 'GET /chat HTTP/1.1\r\nX: '],
  ] as const) {
    it(`1000 sockets that ${what} are closed in time, and others are served meanwhile`, async () => {
      const app = await serve(Chat);
      const { sockets, closed } = await crowd(1_000, app.address(Chat).port, words);
      await servesOthers(app);
      // More bytes do not extend it.
      const dribble = (): void => {
        for (const socket of sockets) if (words !== '' && socket.writable) socket.write('a');
      };
      await waitFor(
        () => {
          dribble();
          return closed() === sockets.length;
        },
        { within: '15s', what: () => `${sockets.length - closed()} sockets to be closed` },
      );
      await servesOthers(app);
      expect(app.reactor.connections().count).to.equal(0);
    });
  }

  it('more sockets than maxConnections are closed at once, and told of', async () => {
    using refused = new Events('listener.reject');
    @Connection({ listen: { url: 'ws://127.0.0.1:0', maxConnections: 10 } })
    class Small {}
    const app = await serve(Small);
    const { closed } = await crowd(30, app.address(Small).port, '');
    await waitFor(() => closed() === 20);
    expect(new Set(refused.seen.map(({ reason }) => reason))).to.deep.equal(new Set(['maxConnections']));
  });

  it('headers without end are refused with 431, too many bytes in the first line too', async () => {
    @Connection({ listen: 'ws://127.0.0.1:0/chat' })
    class Patient {}
    const app = await serve(Patient, Chat);
    for (const words of [`${UPGRADE}${`X: ${'y'.repeat(100)}\r\n`.repeat(1_000)}`, `GET /${'x'.repeat(100_000)}`]) {
      const client = await tcpClient(app.address(Patient).port);
      void client.send(words).catch(() => {});
      expect(await client.line()).to.match(/^HTTP\/1.1 431 /);
      await client.destroy();
    }
    await servesOthers(app);
  });

  it('a frame that announces more than may come is refused before it comes', async () => {
    const app = await serve(Chat);
    const client = await rawSocket(app);
    const before = process.memoryUsage().rss;
    await client.send(frame(2, Buffer.from('only these'), { length: 2 ** 31 - 1 }));
    // The close frame says 1009.
    expect((await client.bytes(4)).toString('hex')).to.equal('880203f1');
    expect(process.memoryUsage().rss - before).to.be.lessThan(64 * 1024 * 1024);
    await client.destroy();
    expect(await waitFor(() => reasons[0])).to.include({ by: 'error', code: 'ERR_PACKET_FRAMING_TOO_LARGE' });
  });

  it('a message in fragments without end is refused: by its size, or by their number', async () => {
    const app = await serve(Chat);
    for (const [payload, code] of [
      [Buffer.alloc(1_000), '03f1'],
      [Buffer.alloc(0), '03f0'],
    ] as const) {
      const client = await rawSocket(app);
      await client.send(frame(1, payload, { fin: false }));
      const rest = frame(0, payload, { fin: false });
      for (let i = 0; i < 50 && !client.inbox.ended; i++)
        await client.send(Buffer.concat(Array(100).fill(rest) as Buffer[])).catch(() => {});
      expect((await client.bytes(4)).toString('hex')).to.equal(`8802${code}`);
      await client.destroy();
    }
    await servesOthers(app);
  });

  it('pings without end are answered as far as they are read, and cost no memory', async () => {
    const app = await serve(Chat);
    const client = await rawSocket(app);
    client.socket.pause();
    const pings = Buffer.concat(Array(1_000).fill(frame(9, Buffer.alloc(125))) as Buffer[]);
    const before = process.memoryUsage();
    for (let i = 0; i < 300; i++) await client.send(pings);
    const after = process.memoryUsage();
    expect(after.external + after.heapUsed - before.external - before.heapUsed).to.be.lessThan(32 * 1024 * 1024);
    await servesOthers(app);
    client.socket.resume();
    // The last one is answered, and what was said before it is not lost.
    await client.send(frame(9, Buffer.from('the last')));
    await waitFor(() => client.inbox.text.includes('the last'), { within: '10s' });
    await client.destroy();
  });

  it('noise after the upgrade ends that connection alone, with a typed reason', async () => {
    const app = await serve(Chat);
    let seed = 7;
    const noise = (): Buffer => Buffer.from(Array.from({ length: 200 }, () => (seed = (seed * 48_271) % 2_147_483_647) & 255));
    for (let i = 0; i < 50; i++) {
      const client = await rawSocket(app);
      client.end(noise());
      await client.all();
      await client.destroy();
    }
    await waitFor(() => reasons.length === 50);
    for (const { by, code } of reasons) expect(`${by} ${code}`).to.match(/^(error ERR_PACKET_FRAMING|peer (ECONNRESET|END))/);
    await servesOthers(app);
  });

  it('1000 requests whose bodies do not come are given up, and others are served meanwhile', async () => {
    const app = await serve(Web);
    const { port, url } = app.address(Web);
    const { sockets, closed } = await crowd(1_000, port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n');
    const served = await soon(fetch(url, { method: 'POST', body: 'four' }), { within: '10s' });
    expect(await served.text()).to.equal('4');
    await waitFor(
      () => {
        for (const socket of sockets) if (socket.writable) socket.write('a');
        return closed() === sockets.length;
      },
      { within: '20s', what: () => `${sockets.length - closed()} requests to be given up` },
    );
    expect(app.reactor.connections().count).to.equal(0);
  });

  it('a body in pieces of a byte is read in pieces of what has come, in a few turns of promises', async () => {
    let pieces = 0;
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Bytes {
      @OnRequest() async answer(request: Request) {
        let size = 0;
        for await (const piece of request.body!) {
          pieces++;
          size += piece.length;
        }
        return new Response(`${size} bytes`);
      }
    }
    const client = await tcpClient((await serve(Bytes)).address(Bytes).port);
    await client.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(50_000)}0\r\n\r\n`);
    await waitFor(() => client.inbox.text.includes('50000 bytes'));
    expect(pieces).to.be.lessThan(1_000);
  });

  it('a request whose body brings a byte at every turn of the loop is given up all the same', async () => {
    const app = await serve(Web);
    const socket = connect({ port: app.address(Web).port, host: '127.0.0.1' });
    atEnd(() => void socket.destroy());
    let isClosed = false;
    socket.on('error', () => {}).on('close', () => (isClosed = true));
    socket.resume();
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n');
    // The client shares the loop: each poll of the server finds a byte, also the one that a limit waits for.
    const dribble = (): void => {
      if (isClosed) return;
      if (socket.writable) socket.write('a');
      setImmediate(dribble);
    };
    dribble();
    await waitFor(() => isClosed, { within: '15s', what: 'the request to be given up' });
    expect(app.reactor.connections().count).to.equal(0);
  });

  it('requests that are reset in the middle leave nothing behind', async () => {
    const app = await serve(Web, Chat);
    const { port } = app.address(Web);
    for (let i = 0; i < 200; i++) {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.on('error', () => {});
      const words = i % 2 === 0 ? 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1234' : `${UPGRADE}\r\n`;
      await new Promise<void>(resolve => socket.write(words.slice(0, Math.floor((words.length * (i % 20)) / 19) + 1), () => resolve()));
      socket.resetAndDestroy();
    }
    await waitFor(() => app.reactor.connections().count === 0, { within: '10s' });
    await servesOthers(app);
  });
});
