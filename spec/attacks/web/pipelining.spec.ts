import { once } from 'node:events';
import { expect } from 'chai';
import express from 'express';
import { z } from 'zod';
import { Connection, InjectWorker, OnClose, OnData, Task, Worker, bootstrap, Module, type CloseReason, type WorkerClient } from 'packet-ts';
import { mount, OnRequest, type Mountable } from 'packet-ts/http';
import 'packet-ts/websocket';
import { lines } from 'packet-ts/framing';
import { atEnd, tcpClient, waitFor, webClient, type TcpClient } from '../../kit/index.js';
import { Authority } from '../../kit/programs/certificates.js';
import { deferred } from '../../kit/signals.js';
import { tlsClient } from '../../kit/clients/tls-client.js';
import { House } from '../support/house.js';
import { Turns } from '../support/turns.js';

const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const UPGRADE = (protocol: string, path = '/'): string =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

@Connection({ listen: 'ws://127.0.0.1:0/chat', framing: lines() })
class Chat {
  @OnData() say(line: string) {
    return line;
  }
}

/** Opened by each test: what `/slow` waits for. */
let gate = deferred();
let closed: CloseReason[] = [];

@Connection({ listen: 'http://127.0.0.1:0' })
class Web {
  @OnRequest() async answer(request: Request) {
    const { pathname } = new URL(request.url);
    if (pathname === '/slow') await Promise.race([gate.promise, once(request.signal, 'abort')]);
    if (pathname === '/large') return new Response(new Uint8Array(3_000_000));
    if (pathname === '/body') return new Response(await request.text());
    return new Response(`this is ${pathname}`);
  }
  @OnClose() over(reason: CloseReason) {
    closed.push(reason);
  }
}

beforeEach(() => {
  gate = deferred();
  closed = [];
});

@Connection({ listen: { url: 'http://127.0.0.1:0', drainTimeout: 100 } })
class Downloads {
  @OnRequest() async answer(request: Request) {
    if (request.url.endsWith('/slow')) await gate.promise;
    return new Response(request.url.endsWith('/large') ? new Uint8Array(30_000_000) : 'small');
  }
  @OnClose() over(reason: CloseReason) {
    closed.push(reason);
  }
}

/** Statuses of everything that came, in order. */
function statuses(client: TcpClient): string[] {
  return [...client.inbox.text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status!);
}

describe('an answer that waits behind another one of its connection', () => {
  it('is cut off by drainTimeout like any other when the client does not read it', async () => {
    const house = await House.open([Downloads]);
    const client = await house.connect(Downloads);
    client.socket.pause();
    await client.send(`${GET('/slow')}${GET('/large')}`);
    const requests = (): number => house.app.reactor.connections(Downloads).count;
    await waitFor(() => requests() === 2);
    await house.servesOthers();
    gate.resolve();
    await waitFor(() => requests() === 0);
    expect(closed.map(({ by, code }) => `${by} ${code}`)).to.deep.equal(['local END', 'limit drainTimeout']);
  });
});

describe('a request for an upgrade behind requests that are not answered', () => {
  it('is answered behind them, whatever it wants to speak, also where nothing but websockets is spoken', async () => {
    const house = await House.open([Chat]);
    for (const [upgrade, last] of [
      [`${UPGRADE('h2c')}\r\n`, '404'],
      [`${UPGRADE('websocket')}\r\n`, '404'],
      [`${UPGRADE('websocket', '/chat')}\r\n`, '101'],
      [`${UPGRADE('websocket', '/chat')}Content-Length: 5\r\n\r\nframe`, '400'],
    ] as const) {
      const client = await house.connect(Chat);
      await client.send(`${GET('/')}${GET('/')}${upgrade}`);
      // Nothing is asked for with a GET there, so the first answer closes the connection unless it may be kept.
      await waitFor(() => statuses(client).includes(last) || client.inbox.ended);
      expect(statuses(client)[0]).to.equal('404');
      await client.destroy();
    }
    await house.servesOthers();
  });

  it('gets its 101 behind the answers of an http endpoint of the same port, and speaks then', async () => {
    const house = await House.open([Web, Chat]);
    const client = await tcpClient(house.app.address(Chat).port);
    await client.send(`${GET('/slow')}${GET('/2')}${UPGRADE('websocket', '/chat')}\r\n`);
    await house.servesOthers();
    expect(statuses(client)).to.deep.equal([]);
    gate.resolve();
    await waitFor(() => statuses(client).length === 3);
    expect(statuses(client)).to.deep.equal(['200', '200', '101']);
    // A masked text frame, whose mask is zeros.
    await client.send(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
    await waitFor(() => client.inbox.text.endsWith('\u0002hi'));
  });

  it('does not keep large answers before it from being sent to their end, nor a large answer of its own', async () => {
    const house = await House.open([Web, Chat]);
    const client = await tcpClient(house.app.address(Chat).port);
    await client.send(`${GET('/large')}${UPGRADE('h2c', '/large')}\r\n`);
    await waitFor(() => closed.length === 2 && client.inbox.text.length > 6_000_000, { within: '10s' });
    expect(statuses(client)).to.deep.equal(['200', '200']);
  });

  it('whose client leaves before them is over with them', async () => {
    const house = await House.open([Web, Chat]);
    const leave: ((client: TcpClient) => unknown)[] = [client => client.end(), client => client.reset()];
    for (const protocol of ['h2c', 'websocket'])
      for (const how of leave) {
        const before = closed.length;
        const client = await tcpClient(house.app.address(Chat).port);
        await client.send(`${GET('/slow')}${GET('/slow')}${UPGRADE(protocol, '/chat')}\r\n`);
        // The one that would rather speak h2c is a request like the others.
        const count = protocol === 'h2c' ? 3 : 2;
        await waitFor(() => house.app.reactor.connections(Web).count + closed.length - before === count);
        how(client);
        await waitFor(() => closed.length === before + count);
      }
    expect(house.app.reactor.connections(Web).count).to.equal(0);
  });

  it('is a request like any other where it is not for a websocket, its body included, and the connection is kept', async () => {
    const house = await House.open([Web, Chat]);
    const client = await tcpClient(house.app.address(Chat).port);
    const post = UPGRADE('h2c', '/body').replace('GET', 'POST');
    await client.send(`${post}Content-Length: 5\r\n\r\nhe`);
    await client.send('llo');
    await waitFor(() => statuses(client).length === 1);
    await client.send(GET('/2'));
    await waitFor(() => statuses(client).length === 2);
    expect(statuses(client)).to.deep.equal(['200', '200']);
    expect(client.inbox.text).to.include('hello');
    await client.send(`${UPGRADE('websocket', '/chat')}\r\n`);
    await waitFor(() => statuses(client).at(-1) === '101');
  });

  it('and an answer to an upgrade that nobody makes ends when its client leaves', async () => {
    const house = await House.open([Web, Chat]);
    const client = await tcpClient(house.app.address(Chat).port);
    await client.send(`${UPGRADE('h2c', '/slow')}\r\n`);
    await waitFor(() => house.app.reactor.connections(Web).count === 1);
    client.end();
    await waitFor(() => closed.length === 1);
    expect(closed[0]).to.include({ by: 'peer' });
  });
});

describe('pipelined requests', function () {
  const ENDS: Record<string, (client: TcpClient) => unknown> = {
    'a FIN': client => client.end(),
    'a reset': client => client.reset(),
    'bytes that are no HTTP': client => client.send('no HTTP\r\n\r\n'),
    CONNECT: client => client.send('CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'),
  };
  for (const [what, end] of Object.entries(ENDS))
    for (const count of [3, 40])
      it(`${count} of them are over, and counted no more, when their client ends with ${what}`, async () => {
        const house = await House.open([Web]);
        const client = await house.connect(Web);
        await client.send(GET('/slow').repeat(count));
        await waitFor(() => house.app.reactor.connections(Web).count === Math.min(count, 16));
        // Behind more than it handles at once the connection is not read: only a reset can be seen there, once something is sent.
        if (count > 16) gate.resolve();
        await end(client);
        await waitFor(() => house.app.reactor.connections(Web).count === 0 && closed.length >= 3);
        for (const { by } of closed) expect(by).to.be.oneOf(count > 16 ? ['peer', 'local'] : ['peer']);
        expect((await house.close('5s')).graceful).to.equal(true);
      });

  it('of which some wait are all answered, in order', async () => {
    const house = await House.open([Web]);
    const client = await house.connect(Web);
    await client.send(Array.from({ length: 300 }, (_, i) => GET(`/${i}`)).join(''));
    await waitFor(() => statuses(client).length === 300, { within: '10s' });
    expect([...client.inbox.text.matchAll(/this is \/(\d+)/g)].map(([, i]) => Number(i))).to.deep.equal(
      Array.from({ length: 300 }, (_, i) => i),
    );
  });

  for (const [name, app] of Object.entries<Mountable>({
    express: express().get('/slow', (_request, response) => void gate.promise.then(() => response.send('done'))),
    'a fetch application': { fetch: () => gate.promise.then(() => new Response('done')) },
  }))
    it(`to ${name} that is mounted are over with their client, so that closing is graceful`, async () => {
      const web = mount(() => app, { listen: 'http://127.0.0.1:0' });
      class AppModule {}
      Module({ connections: [web] })(AppModule);
      const running = await bootstrap(AppModule, { signals: false, logger: false });
      atEnd(() => running.close({ timeout: 1 }));
      for (let i = 0; i < 5; i++) {
        const client = await tcpClient(running.address(web).port);
        await client.send(GET('/slow').repeat(3));
        client.reset();
      }
      expect((await running.close({ timeout: '5s' })).graceful).to.equal(true);
    });
});

describe('a peer that sends as much as it can', function () {
  it('has at most 128 requests begun in one turn, and 16 under way, and others are answered meanwhile', async () => {
    using turns = new Turns();
    let underWay = 0;
    let most = 0;
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Counting {
      @OnRequest() async answer() {
        turns.count();
        most = Math.max(most, ++underWay);
        await Promise.resolve();
        underWay--;
        return new Response('x');
      }
    }
    const house = await House.open([Counting]);
    const client = await house.connect(Counting);
    client.socket.write(GET('/').repeat(1_000));
    const before = turns.total;
    let answered = 0;
    while (turns.total - before < 1_000 || statuses(client).length < 1_000) {
      await house.servesOthers();
      answered++;
    }
    expect(turns.most).to.be.at.most(128);
    expect(most).to.be.at.most(16);
    expect(answered).to.be.above(3);
  });

  it('is one caller of a pool, however many requests it sends on a connection', async () => {
    const order: string[] = [];
    @Worker('pipelining_pool', { runtime: 'inline', maxWorkers: 1, timeout: '10s' })
    class Pool {
      @Task({ input: z.string(), output: z.string() }) async run(who: string) {
        order.push(who);
        await new Promise<void>(resolve => setImmediate(resolve));
        return who;
      }
    }
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Asking {
      constructor(@InjectWorker(Pool) private readonly pool: WorkerClient<Pool>) {}
      @OnRequest() async answer(request: Request) {
        return new Response(await this.pool.run(new URL(request.url).pathname));
      }
    }
    const house = await House.open([Asking], { workers: [Pool] });
    const [greedy, modest] = [await house.connect(Asking), await house.connect(Asking)];
    await greedy.send(GET('/greedy').repeat(15));
    await waitFor(() => order.length > 0);
    await modest.send(GET('/modest'));
    await waitFor(() => order.length === 16);
    // What runs, what the process has already, and then it is the other caller's turn.
    expect(order.indexOf('/modest')).to.be.below(12);
    await waitFor(() => statuses(modest).length === 1);
  });
});

describe('a websocket request with a body', () => {
  for (const [what, body] of [
    ['a length', 'Content-Length: 7\r\n\r\n\x82\x81\0\0\0\0x'],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n7\r\n\x82\x81\0\0\0\0x\r\n0\r\n\r\n'],
  ] as const)
    it(`of ${what} is refused: its body is never taken for frames`, async () => {
      const heard: unknown[] = [];
      @Connection({ listen: 'ws://127.0.0.1:0/' })
      class Hearing {
        @OnData() hear(message: Buffer) {
          heard.push(message);
        }
      }
      const house = await House.open([Hearing]);
      const client = await house.connect(Hearing);
      await client.send(Buffer.from(`${UPGRADE('websocket')}${body}`, 'latin1'));
      await waitFor(() => client.inbox.ended);
      expect(statuses(client)).to.deep.equal(['400']);
      expect(heard).to.deep.equal([]);
      const honest = await webClient(house.app.address(Hearing).url);
      honest.send('there');
      await waitFor(() => heard.length === 1);
    });
});

describe('a websocket peer that sends as much as it can', function () {
  const HANDSHAKE = `${UPGRADE('websocket')}\r\n`;
  /** Masked with zeros. */
  const frames = (count: number, opcode: number, payload = ''): Buffer =>
    Buffer.concat(
      Array.from({ length: count }, () => Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0, ...Buffer.from(payload)])),
    );

  for (const stream of [false, true])
    it(`has at most 128 messages handled in one turn, and others are answered meanwhile${stream ? ', of a stream, too' : ''}`, async () => {
      using turns = new Turns();
      @Connection({ listen: { url: 'ws://127.0.0.1:0/', stream }, framing: lines() })
      class Counting {
        @OnData() count(line: string) {
          turns.count();
          return line;
        }
      }
      const house = await House.open([Counting]);
      const client = await house.connect(Counting);
      await client.send(HANDSHAKE);
      while ((await client.line()) !== '');
      client.socket.write(frames(30_000, 2, 'x\n'));
      let answered = 0;
      while (turns.total < 30_000) {
        await house.servesOthers();
        answered++;
      }
      expect(turns.most).to.be.at.most(128);
      expect(answered).to.be.above(3);
    });

  it('gets one pong for the pings of a chunk: that of the newest', async () => {
    const house = await House.open([Chat]);
    const client = await tcpClient(house.app.address(Chat).port);
    await client.send(`${UPGRADE('websocket', '/chat')}\r\n`);
    while ((await client.line()) !== '');
    client.socket.write(Buffer.concat([frames(100_000, 9, 'x'), frames(1, 9, 'last')]));
    let answered = 0;
    for (; !client.inbox.text.endsWith('last'); answered++) await house.servesOthers();
    // A read takes 64 KB at most, and a pong has three bytes here.
    const pongs = client.inbox.text.split('\r\n\r\n')[1]!.length / 3;
    expect(pongs).to.be.below(1_000);
    expect(answered).to.be.above(1);
  });
});

describe('a tls peer that sends as much as it can in records as small as can be', () => {
  it('has at most 128 messages handled in one turn', async () => {
    using turns = new Turns();
    using authority = new Authority();
    @Connection({ listen: { url: 'tls://127.0.0.1:0', tls: authority.issue('127.0.0.1') }, framing: lines() })
    class Counting {
      @OnData() count() {
        turns.count();
      }
    }
    const house = await House.open([Counting]);
    const client = await tlsClient({ port: house.app.address(Counting).port, ca: authority.cert });
    for (let i = 0; i < 3_000; i++) client.socket.write('x\n');
    await waitFor(() => turns.total === 3_000, { within: '10s' });
    expect(turns.most).to.be.at.most(128);
  });
});
