import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'chai';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { z } from 'zod';
import {
  bootstrap,
  Connection,
  Module,
  OnClose,
  OnData,
  Task,
  Worker,
  type CloseReason,
  type ModuleOptions,
  type WorkerClient,
} from 'packet-ts';
import { mount, OnRequest, type Mountable, type MountInject } from 'packet-ts/http';
import { createTestApp, type TestApp } from 'packet-ts/testing';
import 'packet-ts/websocket';
import { lines } from 'packet-ts/framing';
import { atEnd, soon, tcpClient, waitFor, webClient } from '../../kit/index.js';
import { Events } from '../../kit/events.js';
import { deferred } from '../../kit/signals.js';

@Worker('mount_worker', { timeout: '5s' })
class MountWorker {
  @Task({ input: z.string(), output: z.string() }) shout(text: string): string {
    return text.toUpperCase();
  }
}

class Names {
  greeting = 'hello';
}

async function start(options: ModuleOptions): Promise<TestApp> {
  @Module({ workers: [MountWorker], providers: [Names], ...options })
  class AppModule {}
  const app = await createTestApp(AppModule).start();
  atEnd(() => app.close({ timeout: 1 }));
  return app;
}

const listen = 'http://127.0.0.1:0';

/** The same small application, in each framework. */
const MAKERS: Record<string, (inject: MountInject) => Mountable> = {
  fastify: ({ worker, get }) => {
    const app = fastify();
    const shouter = worker(MountWorker);
    app.get<{ Querystring: { text: string } }>('/shout', ({ query }) => shouter.shout(query.text));
    app.get('/greeting', () => get(Names).greeting);
    app.post('/echo', ({ body }) => body);
    return app;
  },
  express: ({ worker, get }) => {
    const app = express();
    const shouter = worker(MountWorker);
    app.get('/shout', (request, response, next) => {
      shouter.shout(String(request.query['text'])).then(text => response.send(text), next);
    });
    app.get('/greeting', (_request, response) => void response.send(get(Names).greeting));
    app.post('/echo', express.json(), (request, response) => void response.json(request.body));
    return app;
  },
  hono: ({ worker, get }) => {
    const app = new Hono();
    const shouter = worker(MountWorker);
    app.get('/shout', async c => c.text(await shouter.shout(c.req.query('text')!)));
    app.get('/greeting', c => c.text(get(Names).greeting));
    app.post('/echo', async c => c.json(await c.req.json()));
    return app;
  },
};

describe('mount()', () => {
  for (const [name, make] of Object.entries(MAKERS)) {
    it(`serves ${name}, with workers and providers at hand`, async () => {
      const mounted = mount(make, { listen });
      const app = await start({ connections: [mounted] });
      const { url, host, port } = app.address(mounted);
      expect(url).to.equal(`http://127.0.0.1:${port}`);
      expect(host).to.equal('127.0.0.1');
      expect(await (await fetch(`${url}/shout?text=abc`)).text()).to.equal('ABC');
      expect(await (await fetch(`${url}/greeting`)).text()).to.equal('hello');
      const echo = await fetch(`${url}/echo`, { method: 'POST', body: '{"a":[1]}', headers: { 'content-type': 'application/json' } });
      expect(await echo.json()).to.deep.equal({ a: [1] });
      expect((await fetch(`${url}/nowhere`)).status).to.equal(404);
      expect(app.describe()).to.contain(url);
    });
  }

  it('takes an application as it is, a function of Node’s kind, and promises', async () => {
    const plain = express();
    plain.get('/', (_request, response) => void response.send('express'));
    const web = new Hono();
    web.get('/', c => c.text('hono'));
    const parts = [
      mount(plain, { listen: 'http://127.0.0.1:0/' }),
      mount(web, { listen }),
      mount(fastify().get('/', () => 'fastify') as ReturnType<typeof fastify>, { listen }),
      mount(() => Promise.resolve((_request: unknown, response: { end(text: string): void }) => response.end('node')), { listen }),
    ];
    const app = await start({ connections: parts });
    const said = await Promise.all(parts.map(async part => (await fetch(app.address(part).url)).text()));
    expect(said).to.deep.equal(['express', 'hono', 'fastify', 'node']);
  });

  it('says at bootstrap what cannot be mounted, and what the function throws', async () => {
    for (const [made, words] of [
      [undefined, 'returned undefined'],
      [{ callback: () => {} }, 'return app.callback()'],
      [{ use: () => {} }, 'no application known here'],
      ['text', 'returned text'],
    ] as const) {
      const mounted = mount((() => made) as unknown as () => Hono, { listen });
      const error = await start({ connections: [mounted] }).catch((reason: Error) => reason);
      expect(error).to.have.property('name', 'ConfigurationError');
      expect(String(error)).to.contain(words);
    }
    const failing = mount(
      (): Hono => {
        throw new Error('no such table');
      },
      { listen },
    );
    expect(String(await start({ connections: [failing] }).catch((reason: Error) => reason))).to.contain('no such table');
    const wrong = mount(new Hono(), { listen: 'tcp://127.0.0.1:0' });
    expect(String(await start({ connections: [wrong] }).catch((reason: Error) => reason))).to.contain('@OnRequest answers requests');
    @Worker('unlisted_worker', { timeout: '1s' })
    class Unlisted {}
    const unlisted = mount(({ worker }) => (worker(Unlisted), new Hono()), { listen });
    expect(String(await start({ connections: [unlisted] }).catch((reason: Error) => reason))).to.contain('no worker of this application');
  });

  it('shares a port with a websocket and with requests below a path', async () => {
    @Connection({ listen: 'ws://127.0.0.1:0/socket', framing: lines() })
    class Socket {
      @OnData() echo(line: string) {
        return line;
      }
    }
    @Connection({ listen: 'http://127.0.0.1:0/api' })
    class Api {
      @OnRequest() answer(request: Request) {
        return new Response(new URL(request.url).pathname);
      }
      @OnClose() closed(reason: CloseReason) {
        ends(reason);
      }
    }
    let ends = (_reason: CloseReason): void => {};
    const web = mount(() => fastify().get('/greeting', () => 'hello') as ReturnType<typeof fastify>, { listen });
    @Module({ connections: [Socket, Api, web] })
    class AppModule {}
    // In memory nothing is shared: as it is run.
    const app = await bootstrap(AppModule, { logger: false, signals: false });
    atEnd(() => app.close({ timeout: 1 }));
    const { port, url } = app.address(web);
    expect([app.address(Socket).port, app.address(Api).port]).to.deep.equal([port, port]);
    expect(await (await fetch(`${url}/greeting`)).text()).to.equal('hello');
    expect(await (await fetch(`${url}/api/x`)).text()).to.equal('/api/x');
    const client = await webClient(app.address(Socket).url);
    client.send('x');
    expect(await client.next()).to.equal('x');
    const asking = await tcpClient(port);
    await asking.send('GET /greeting HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n');
    expect(await asking.all()).to.match(/^HTTP\/1.1 200 OK[^]*hello$/);
    // A request like any other: it ends.
    const closed: CloseReason[] = [];
    ends = reason => closed.push(reason);
    const other = await tcpClient(port);
    await other.send('GET /api/y HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n');
    expect(await other.all()).to.match(/^HTTP\/1.1 200 OK[^]*\/api\/y$/);
    await waitFor(() => closed.length === 1, { what: '@OnClose' });
    expect(closed).to.deep.equal([{ by: 'local', code: 'END' }]);
  });

  it('answers for a function that throws or rejects, and lives', async () => {
    using errors = new Events('connection.error');
    const web = mount(
      () => (request: IncomingMessage, response: ServerResponse) => {
        if (request.url === '/throws') throw new Error('thrown');
        if (request.url === '/rejects') return Promise.reject(new Error('rejected'));
        response.end('fine');
        if (request.url === '/afterwards') throw new Error('too late');
        return undefined;
      },
      { listen },
    );
    const app = await start({ connections: [web] });
    const { url } = app.address(web);
    for (const [path, status] of [
      ['/throws', 500],
      ['/rejects', 500],
      ['/afterwards', 200],
      ['/', 200],
    ] as const) {
      const answer = await fetch(url + path, { signal: AbortSignal.timeout(2_000) });
      expect(answer.status, path).to.equal(status);
      expect(await answer.text(), path).to.equal(status === 200 ? 'fine' : 'something went wrong here');
    }
    expect(errors.seen.map(({ error }) => (error as Error).message)).to.deep.equal(['thrown', 'rejected', 'too late']);
  });

  it('finishes requests under way when the application closes, then the framework’s own hooks run', async () => {
    const told: string[] = [];
    const entered = deferred();
    const go = deferred();
    const web = mount(
      () => {
        const app = fastify();
        app.addHook('onClose', async () => void told.push('closed'));
        app.get('/slow', async () => {
          entered.resolve();
          await go.promise;
          told.push('answered');
          return 'done';
        });
        return app;
      },
      { listen },
    );
    const app = await start({ connections: [web] });
    const idle = await tcpClient(app.address(web).port);
    const asking = fetch(`${app.address(web).url}/slow`);
    await soon(entered.promise);
    const closing = app.close();
    await idle.inbox.rest();
    go.resolve();
    expect(await (await asking).text()).to.equal('done');
    expect(await soon(closing)).to.include({ graceful: true, connections: 0 });
    expect(told).to.deep.equal(['answered', 'closed']);
  });

  it('cuts off what does not finish', async () => {
    const entered = deferred();
    const web = mount(() => (): void => entered.resolve(), { listen });
    const app = await start({ connections: [web] });
    const asking = fetch(app.address(web).url).then(
      () => 'answered',
      () => 'cut off',
    );
    await soon(entered.promise);
    expect(await app.close({ timeout: 20 })).to.include({ graceful: false, connections: 1 });
    expect(await asking).to.equal('cut off');
  });

  it('aborts the signal of a web request when its client leaves, and keeps its limits where they are written', async () => {
    const errors = new Events('connection.error');
    const entered = deferred();
    const aborted = deferred();
    const hono = new Hono();
    hono.onError((error, c) => c.text(error.message, 413));
    hono.get('/wait', async c => {
      const { signal } = c.req.raw;
      signal.addEventListener('abort', () => aborted.resolve());
      entered.resolve();
      await aborted.promise;
      return c.text('late');
    });
    hono.post('/', async c => c.text(String((await c.req.text()).length)));
    const broken = { fetch: (): Response => void 0 as unknown as Response };
    const web = mount(hono, { listen, maxMessageSize: 10 });
    const wrong = mount(broken, { listen: 'http://127.0.0.1:0/' });
    const app = await start({ connections: [web, wrong] });
    const client = await tcpClient(app.address(web).port);
    await client.send('GET /wait HTTP/1.1\r\nHost: x\r\n\r\n');
    await soon(entered.promise);
    client.reset();
    await soon(aborted.promise);
    const post = (body: string): Promise<Response> => fetch(app.address(web).url, { method: 'POST', body });
    expect(await (await post('0123456789')).text()).to.equal('10');
    expect(await (await post('0123456789x')).text()).to.contain('maxMessageSize (10 bytes)');
    expect((await fetch(app.address(wrong).url)).status).to.equal(500);
    expect(errors.seen.length).to.be.greaterThan(0);
    errors[Symbol.dispose]();
  });

  it('gives a typed client', () => {
    mount(
      ({ worker }) => {
        const client: WorkerClient<MountWorker> = worker(MountWorker);
        // @ts-expect-error no such task
        void client.nothing;
        return new Hono();
      },
      { listen },
    );
    // @ts-expect-error no application
    mount(() => 3, { listen });
  });
});
