import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { expect } from 'chai';
import { z } from 'zod';
import {
  injectable,
  BoundaryError,
  Connection,
  InjectWorker,
  Logger,
  Module,
  OnClose,
  OnError,
  OnShutdown,
  OnWorkerEvent,
  Peer,
  Task,
  Worker,
  type CloseReason,
  type TaskContext,
  type WorkerClient,
} from 'packet-ts';
import { OnRequest, type RequestAbout } from 'packet-ts/http';
import { createTestApp } from 'packet-ts/testing';
import { lines } from 'packet-ts/framing';
import { Events } from '../kit/events.js';
import { atEnd, soon, tcpClient, waitFor } from '../kit/index.js';
import { deferred } from '../kit/signals.js';
import type { Ctor } from '../../src/decorators/ctor.js';

const HERE = 'http://127.0.0.1:0';

/** An application of that class alone, and where it answers. */
async function serve(cls: Ctor, module: object = {}) {
  @Module({ connections: [cls], ...module })
  class AppModule {}
  const app = await createTestApp(AppModule).start();
  atEnd(() => app.close({ timeout: 1 }));
  const { url, port } = app.address(cls);
  return { app, url, port };
}

describe('http', () => {
  it('makes one instance for each request, which answers with a Response', async () => {
    let made = 0;
    const abouts: RequestAbout[] = [];
    @Connection({ listen: HERE })
    class Hello {
      readonly number = ++made;
      @OnRequest() hello(request: Request, about: RequestAbout) {
        abouts.push(about);
        const { pathname, searchParams } = new URL(request.url);
        const headers = { 'X-Number': String(this.number), 'Set-Cookie': 'a=1' };
        const response = new Response(`${request.method} ${pathname} ${searchParams.get('q')}`, { status: 201, headers });
        response.headers.append('Set-Cookie', 'b=2');
        return response;
      }
    }
    const { url, port } = await serve(Hello);
    for (const n of [1, 2]) {
      const answer = await fetch(`${url}/some/path?q=x`, { method: 'DELETE' });
      expect(answer.status).to.equal(201);
      expect(answer.headers.get('x-number')).to.equal(String(n));
      expect(answer.headers.getSetCookie()).to.deep.equal(['a=1', 'b=2']);
      expect(answer.headers.get('content-length')).to.equal('19');
      expect(await answer.text()).to.equal('DELETE /some/path x');
    }
    expect(abouts[0]!.remote).to.include({ address: '127.0.0.1' });
    expect(abouts[0]!.tls).to.equal(undefined);
    expect(abouts[0]!.id).to.not.equal(abouts[1]!.id);
    const client = await tcpClient(port);
    await client.send('GET //other.host/x HTTP/1.0\r\n\r\n');
    expect(await client.all()).to.contain('GET //other.host/x null');
  });

  it('reads bodies and writes them, byte by byte the same, in both directions at once', async () => {
    @Connection({ listen: { url: HERE, maxMessageSize: '8mb' } })
    class Echo {
      @OnRequest() echo(request: Request) {
        return new Response(request.body, { headers: { 'content-type': request.headers.get('content-type') ?? 'none' } });
      }
    }
    const { url } = await serve(Echo);
    const bytes = randomBytes(5_000_000);
    const answer = await fetch(url, { method: 'POST', body: bytes, headers: { 'content-type': 'app/x' } });
    expect(answer.headers.get('content-type')).to.equal('app/x');
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).to.equal(true);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const slow = fetch(url, { method: 'POST', body: readable, duplex: 'half' });
    await writer.write(Buffer.from('first'));
    const reader = (await slow).body!.getReader();
    expect(Buffer.from((await reader.read()).value).toString()).to.equal('first');
    await writer.write(Buffer.from('second'));
    expect(Buffer.from((await reader.read()).value).toString()).to.equal('second');
    await writer.close();
    expect((await reader.read()).done).to.equal(true);
  });

  it('streams as fast as the client reads, and stops when it leaves', async () => {
    let pulled = 0;
    const cancelled = deferred();
    const reasons: CloseReason[] = [];
    @Connection({ listen: HERE })
    class Endless {
      @OnRequest() flood() {
        const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
          pulled++;
          controller.enqueue(Buffer.alloc(64 * 1024));
        };
        return new Response(new ReadableStream({ pull, cancel: cancelled.resolve }));
      }
      @OnClose() over(reason: CloseReason) {
        reasons.push(reason);
      }
    }
    const { port } = await serve(Endless);
    const client = await tcpClient(port);
    client.socket.pause();
    await client.send('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    let before = -1;
    await waitFor(() => pulled > 10 && before === (before = pulled), { within: '5s', what: 'the stream to wait for the client' });
    expect(pulled).to.be.lessThan(1_000);
    client.reset();
    await soon(cancelled.promise);
    expect(await waitFor(() => reasons[0])).to.include({ by: 'peer' });
  });

  it('drops a client that does not read its answer', async () => {
    const reasons: CloseReason[] = [];
    @Connection({ listen: { url: HERE, drainTimeout: 100 } })
    class Large {
      @OnRequest() answer() {
        return new Response(new Uint8Array(16_000_000));
      }
      @OnClose() over(reason: CloseReason) {
        reasons.push(reason);
      }
    }
    const { port } = await serve(Large);
    const client = await tcpClient(port);
    client.socket.pause();
    await client.send('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    expect(await waitFor(() => reasons[0], { within: '10s' })).to.include({ by: 'limit', code: 'drainTimeout' });
  });

  it('knows the statuses and methods without a body', async () => {
    @Connection({ listen: HERE })
    class Bodiless {
      @OnRequest() answer(request: Request) {
        const status = Number(new URL(request.url).searchParams.get('status') ?? 200);
        return new Response([204, 304].includes(status) ? null : 'text', { status, headers: { 'x-method': request.method } });
      }
    }
    const { url, port } = await serve(Bodiless);
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, head.headers.get('x-method'), await head.text()]).to.deep.equal([200, 'HEAD', '']);
    for (const status of [204, 304]) {
      const answer = await fetch(`${url}?status=${status}`);
      expect([answer.status, answer.headers.get('content-length'), await answer.text()]).to.deep.equal([status, null, '']);
    }
    expect((await fetch(url, { method: 'OPTIONS' })).headers.get('x-method')).to.equal('OPTIONS');
    const client = await tcpClient(port);
    await client.send('TRACE / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await client.line()).to.equal('HTTP/1.1 501 Not Implemented');
  });

  it('keeps connections for further requests, and says go on to who waits for it', async () => {
    @Connection({ listen: HERE })
    class Count {
      @OnRequest() async count(request: Request) {
        return new Response(String((await request.arrayBuffer()).byteLength));
      }
    }
    const { port } = await serve(Count);
    const client = await tcpClient(port);
    await client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
    expect(await client.line()).to.equal('HTTP/1.1 100 Continue');
    await client.send('hello');
    await waitFor(() => client.inbox.text.endsWith('\r\n\r\n5'));
    await client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi');
    await waitFor(() => client.inbox.text.endsWith('\r\n\r\n2'));
  });

  it('fails a body that is too large, with 413, before and while it is read', async () => {
    const reasons: CloseReason[] = [];
    let made = 0;
    @Connection({ listen: { url: HERE, maxMessageSize: '1kb' } })
    class Small {
      constructor() {
        made++;
      }
      @OnRequest() async take(request: Request) {
        return new Response(await request.text());
      }
      @OnClose() over(reason: CloseReason) {
        reasons.push(reason);
      }
    }
    const { url, port } = await serve(Small);
    expect((await fetch(url, { method: 'POST', body: 'x'.repeat(1024) })).status).to.equal(200);
    expect((await fetch(url, { method: 'POST', body: 'x'.repeat(1025) })).status).to.equal(413);
    expect(made).to.equal(1);
    const client = await tcpClient(port);
    await client.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.send(`401\r\n${'x'.repeat(1025)}\r\n`);
    expect(await client.line()).to.equal('HTTP/1.1 413 Payload Too Large');
    expect(await client.all()).to.contain('maxMessageSize (1024 bytes)');
    expect(await waitFor(() => reasons[1])).to.include({ by: 'limit', code: 'maxMessageSize' });
  });

  it('gives up on a body that does not come', async () => {
    const reasons: CloseReason[] = [];
    @Connection({ listen: { url: HERE, messageTimeout: 60 } })
    class Patient {
      @OnRequest() async take(request: Request) {
        return new Response(await request.text());
      }
      @OnClose() over(reason: CloseReason) {
        reasons.push(reason);
      }
    }
    const { port } = await serve(Patient);
    const client = await tcpClient(port);
    await client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhell');
    expect(await client.line()).to.equal('HTTP/1.1 408 Request Timeout');
    expect(await waitFor(() => reasons[0])).to.include({ by: 'timeout', code: 'messageTimeout' });
  });

  it('does not wait for ever for a body that nobody reads, once it has answered', async () => {
    for (const method of ['POST', 'GET']) {
      @Connection({ listen: { url: HERE, messageTimeout: 300 } })
      class Busy {
        @OnRequest() answer() {
          return new Response('answered');
        }
      }
      const { port } = await serve(Busy);
      // Who is through in time is asked for more.
      const quick = await tcpClient(port);
      await quick.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n');
      expect(await quick.line()).to.equal('HTTP/1.1 200 OK');
      await quick.send('x');
      const client = await tcpClient(port);
      await client.send(`${method} / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n`);
      expect(await client.all(), method).to.match(/^HTTP\/1.1 200 OK[^]*answered$/);
      await quick.send('GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      expect(await quick.all()).to.match(/answeredHTTP\/1.1 200 OK[^]*answered$/);
    }
  });

  it('answers below its path whether the client writes the path or the whole url', async () => {
    @Connection({ listen: 'http://127.0.0.1:0/api' })
    class Api {
      @OnRequest() answer({ url }: Request) {
        return new Response(new URL(url).pathname);
      }
    }
    const { port } = await serve(Api);
    for (const target of ['/api/x?q=/', `http://127.0.0.1:${port}/api/x?q=/`]) {
      const client = await tcpClient(port);
      await client.send(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
      expect(await client.all(), target).to.match(/^HTTP\/1.1 200 OK[^]*\/api\/x$/);
    }
  });

  it('aborts request.signal when the client leaves, and the handler is not told off for it', async () => {
    const errors = new Events('connection.error');
    const entered = deferred();
    const aborted = deferred();
    const reasons: CloseReason[] = [];
    @Connection({ listen: HERE })
    class Waiting {
      @OnRequest() async wait({ signal }: Request): Promise<Response> {
        entered.resolve();
        await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
        return new Response();
      }
      @OnClose() over(reason: CloseReason) {
        reasons.push(reason);
        aborted.resolve();
      }
    }
    const { port } = await serve(Waiting);
    const client = await tcpClient(port);
    await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await soon(entered.promise);
    client.reset();
    await soon(aborted.promise);
    expect(reasons).to.have.length(1);
    expect(reasons[0]).to.include({ by: 'peer' });
    expect(errors.seen).to.deep.equal([]);
    errors[Symbol.dispose]();
  });

  describe('answers an error', () => {
    const causes: Record<string, () => unknown> = {
      boundary: () => new BoundaryError({ direction: 'input', issues: [{ message: 'no number' }], what: 'body' }),
      secret: () => new Error('the password is 1234'),
      thing: () => 'no error at all',
      late: () => new DOMException('too late', 'TimeoutError'),
    };
    @Connection({ listen: HERE })
    class Failing {
      @OnRequest() fail(request: Request): Response {
        // oxlint-disable-next-line typescript/only-throw-error -- handlers throw anything
        throw causes[new URL(request.url).pathname.slice(1)]!();
      }
    }
    it('with the status that it means, and nothing but the status for what is ours', async () => {
      const errors = new Events('connection.error');
      const { url } = await serve(Failing);
      const told = async (path: string): Promise<[number, string]> => {
        const answer = await fetch(`${url}/${path}`);
        return [answer.status, await answer.text()];
      };
      const [status, text] = await told('boundary');
      expect(status).to.equal(400);
      expect(text).to.contain('no number');
      expect(await told('secret')).to.deep.equal([500, 'something went wrong here']);
      expect(await told('thing')).to.deep.equal([500, 'something went wrong here']);
      expect((await told('late'))[0]).to.equal(504);
      expect(errors.seen.map(({ error }) => (error as Error).message)[0]).to.equal('the password is 1234');
      expect(errors.seen).to.have.length(2);
      errors[Symbol.dispose]();
    });

    it('with what @OnError makes of it, where that is a Response', async () => {
      @Connection({ listen: HERE })
      class Explains extends Failing {
        @OnError() explain(error: Error) {
          return error.message.includes('password') ? new Response('no', { status: 418 }) : undefined;
        }
      }
      const { url } = await serve(Explains);
      expect((await fetch(`${url}/secret`)).status).to.equal(418);
      expect((await fetch(`${url}/thing`)).status).to.equal(500);
    });

    it('with 500 for no Response, and by breaking off what has begun', async () => {
      @Connection({ listen: HERE })
      class Wrong {
        @OnRequest() answer(request: Request): Response {
          if (request.url.endsWith('/none')) return 'text' as unknown as Response;
          const parts = [Buffer.from('part'), Buffer.from('part')];
          const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
            await new Promise(resolve => setImmediate(resolve));
            const part = parts.shift();
            if (part) controller.enqueue(part);
            else controller.error(new Error('broken in the middle'));
          };
          return new Response(new ReadableStream({ pull }));
        }
      }
      const { url } = await serve(Wrong);
      expect((await fetch(`${url}/none`)).status).to.equal(500);
      const broken = await fetch(url);
      expect(broken.status).to.equal(200);
      expect(await broken.text().then(() => 'whole', String)).to.not.equal('whole');
    });
  });

  @Worker('http_worker', { timeout: '300ms', maxQueuePerCaller: 1 })
  class HttpWorker {
    @Task({ input: z.number(), output: z.number(), events: { half: z.number() } })
    async slow(n: number, context: TaskContext<{ half: number }>) {
      await context.emit('half', n / 2);
      if (n === 0)
        await new Promise((_resolve, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason as Error)));
      return n;
    }
  }

  it('calls workers, hears their events, maps their errors, and aborts calls of a client that leaves', async () => {
    const seen: unknown[] = [];
    const disposed: string[] = [];
    @injectable()
    class Scoped {
      constructor(readonly log: Logger) {}
      dispose() {
        disposed.push('scoped');
      }
    }
    @Connection({ listen: HERE })
    class Calls {
      constructor(
        @InjectWorker(HttpWorker) private readonly worker: WorkerClient<HttpWorker>,
        readonly scoped: Scoped,
      ) {}
      @OnRequest() async call(request: Request) {
        const n: unknown = JSON.parse(new URL(request.url).searchParams.get('n')!);
        return new Response(String(await this.worker.slow(n as number)));
      }
      @OnWorkerEvent(HttpWorker, 'half') half(n: number) {
        seen.push(n);
      }
      @OnClose() over({ by }: CloseReason) {
        seen.push(by);
      }
    }
    const { app, url, port } = await serve(Calls, {
      workers: [HttpWorker],
      providers: [{ token: Scoped, useClass: Scoped, scope: 'connection' }],
    });
    const answer = await fetch(`${url}?n=8`);
    expect([answer.status, await answer.text()]).to.deep.equal([200, '8']);
    await waitFor(() => disposed.length === 1);
    expect(seen).to.deep.equal([4, 'local']);
    expect((await fetch(`${url}?n="x"`)).status).to.equal(400);
    expect((await fetch(`${url}?n=0`)).status).to.equal(504);
    const client = await tcpClient(port);
    await client.send('GET /?n=0 HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor(() => app.workers.status().some(({ running }) => running === 1));
    client.reset();
    await waitFor(() => app.workers.status().every(({ running }) => running === 0));
    await waitFor(() => disposed.length === 4);
    expect(seen.at(-1)).to.equal('peer');
  });

  it('finishes what is under way when the application closes, and closes idle connections at once', async () => {
    const entered = deferred();
    const go = deferred();
    let told = 0;
    @Connection({ listen: HERE })
    class Slow {
      @OnRequest() async answer(request: Request) {
        if (request.url.endsWith('/slow')) {
          entered.resolve();
          await go.promise;
        }
        return new Response('done');
      }
      @OnShutdown() bye() {
        told++;
        go.resolve();
      }
    }
    const { app, port } = await serve(Slow);
    const idle = await tcpClient(port);
    await idle.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor(() => idle.inbox.text.endsWith('done'));
    const never = await tcpClient(port);
    const half = await tcpClient(port);
    await half.send('GET / HTTP/1.1\r\n');
    const slow = await tcpClient(port);
    await slow.send('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    await soon(entered.promise);
    const closing = app.close();
    expect(await slow.all()).to.match(/^HTTP\/1.1 200 OK\r\n[^]*Connection: close[^]*done$/i);
    for (const client of [idle, never, half]) await client.inbox.rest();
    expect(await soon(closing)).to.deep.equal({ graceful: true, connections: 0, calls: 0, workers: 0 });
    expect(told).to.equal(1);
  });

  it('cuts off what does not finish, and counts it', async () => {
    const entered = deferred();
    @Connection({ listen: HERE })
    class Never {
      @OnRequest() answer(): Promise<Response> {
        entered.resolve();
        return new Promise(() => {});
      }
    }
    const { app, port } = await serve(Never);
    const client = await tcpClient(port);
    await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await soon(entered.promise);
    expect(app.describe()).to.match(/Never on http:\/\/127\.0\.0\.1:\d+: 1 connection/);
    expect(await app.close({ timeout: 20 })).to.include({ graceful: false, connections: 1 });
    await client.inbox.rest();
  });

  it('refuses requests beyond maxConnections with 503', async () => {
    const entered = deferred();
    const go = deferred();
    @Connection({ listen: { url: HERE, maxConnections: 2, maxPerPeer: 1 } })
    class One {
      @OnRequest() async answer() {
        entered.resolve();
        await go.promise;
        return new Response('served');
      }
    }
    const { url } = await serve(One);
    const first = fetch(url);
    await soon(entered.promise);
    expect((await fetch(url)).status).to.equal(503);
    go.resolve();
    expect(await (await first).text()).to.equal('served');
    expect((await fetch(url)).status).to.equal(200);
  });

  it('tells at boot what cannot be: hooks of messages, a Peer, a framing, no @OnRequest, @OnRequest elsewhere', async () => {
    const { OnConnect, OnData } = await import('packet-ts');
    @Connection({ listen: HERE, framing: lines() })
    class Mixed {
      constructor(readonly peer: Peer) {}
      @OnRequest() answer() {
        return new Response();
      }
      @OnData() data() {}
      @OnConnect() connected() {}
    }
    @Connection({ listen: HERE })
    class Mute {
      @OnData() data() {}
    }
    @Connection({ listen: 'tcp://127.0.0.1:0' })
    class Elsewhere {
      @OnRequest() answer() {
        return new Response();
      }
    }
    @Module({ connections: [Mixed, Mute, Elsewhere] })
    class AppModule {}
    const error = await createTestApp(AppModule)
      .start()
      .catch((reason: Error) => reason);
    const text = String(error);
    expect(text).to.contain('@OnData cannot stand on a class that serves requests');
    expect(text).to.contain('@OnConnect cannot stand on a class that serves requests');
    expect(text).to.contain('a request has no Peer');
    expect(text).to.contain('a framing reads messages');
    expect(text).to.contain('there is no @OnRequest');
    expect(text).to.contain("@OnRequest answers requests, and 'tcp://127.0.0.1:0' brings messages");
  });

  it('serves pipelined requests in order, and refuses what Node does not let through', async () => {
    @Connection({ listen: HERE })
    class Order {
      @OnRequest() async answer(request: Request) {
        if (request.url.endsWith('/1')) await new Promise(resolve => setImmediate(resolve));
        return new Response(`<${new URL(request.url).pathname}>`);
      }
    }
    const { port } = await serve(Order);
    const client = await tcpClient(port);
    await client.send([1, 2, 3].map(n => `GET /${n} HTTP/1.1\r\nHost: x\r\n${n === 3 ? 'Connection: close\r\n' : ''}\r\n`).join(''));
    const all = await client.all();
    expect(all.match(/<[^>]+>/g)).to.deep.equal(['</1>', '</2>', '</3>']);
    for (const words of [
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
      'GET / HTTP/1.1\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a b\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: x/y\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n',
    ]) {
      const smuggler = await tcpClient(port);
      await smuggler.send(words);
      expect(await smuggler.line(), words).to.match(/^HTTP\/1.1 400 /);
      await smuggler.destroy();
    }
  });

  it('takes a body that is no JSON for the client’s mistake', async () => {
    @Connection({ listen: HERE })
    class Sum {
      @OnRequest() async sum(request: Request) {
        const numbers = (await request.json()) as number[];
        return Response.json(numbers.reduce((a, b) => a + b, 0));
      }
    }
    const { url } = await serve(Sum);
    const post = (body: string): Promise<Response> => fetch(url, { method: 'POST', body });
    expect(await (await post('[1,2,3]')).json()).to.equal(6);
    const refused = await post('[1,2,');
    expect([refused.status, await refused.text()]).to.satisfy(
      ([status, text]: [number, string]) => status === 400 && text.includes('no JSON'),
    );
  });

  it('answers other clients than fetch alike', async () => {
    @Connection({ listen: HERE })
    class Who {
      @OnRequest() who(request: Request) {
        return Response.json({ agent: request.headers.get('user-agent') });
      }
    }
    const { port } = await serve(Who);
    const body = await new Promise<string>((resolve, reject) => {
      const asking = httpRequest({ port, headers: { 'user-agent': 'node' } }, answer => {
        answer.setEncoding('utf8').once('data', resolve).resume();
      });
      asking.once('error', reject).end();
    });
    expect(JSON.parse(body)).to.deep.equal({ agent: 'node' });
  });
});
