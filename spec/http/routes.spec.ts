import { Readable } from 'node:stream';
import { expect } from 'chai';
import { z } from 'zod';
import { bytes, Connection, Module, OnClose, OnError, type CloseReason } from 'packet-ts';
import { Delete, Get, Head, OnRequest, Options, Patch, Post, Put, Route, type RequestAbout, type RouteInput } from 'packet-ts/http';
import { createTestApp, type TestApp } from 'packet-ts/testing';
import { Events } from '../kit/events.js';
import { atEnd, soon, tcpClient, waitFor } from '../kit/index.js';
import { deferred } from '../kit/signals.js';
import type { Ctor } from '../../src/decorators/ctor.js';

const HERE = 'http://127.0.0.1:0';

async function serve(...connections: Ctor[]) {
  @Module({ connections })
  class AppModule {}
  const app = await createTestApp(AppModule).start();
  atEnd(() => app.close({ timeout: 1 }));
  return { app, ...app.address(connections[0]!) };
}

const Order = z.object({ id: z.number(), quantity: z.number() });
const change = { params: z.object({ id: z.coerce.number().int() }), body: z.object({ quantity: z.number().min(1) }) };

@Connection({ listen: { url: HERE, maxMessageSize: '4kb' } })
class Orders {
  @Get('/orders') list({ query }: { query: Readonly<Record<string, string | string[]>> }) {
    return { orders: [], query };
  }
  @Get('/orders/:id', { params: z.object({ id: z.coerce.number().int() }), response: Order })
  find({ params }: { params: { id: number } }) {
    const stored = { id: params.id, quantity: 1, secret: 'not for clients' };
    return stored;
  }
  @Get('/orders/latest') latest() {
    return 'the latest';
  }
  @Put('/orders/:id', change) change({ params, body, request }: RouteInput<typeof change>, { remote, id }: RequestAbout) {
    return { ...params, ...body, url: request.url, from: remote.address, request: typeof id };
  }
  @Delete('/orders/:id') remove() {}
  @Get('/text/:name/:rest') text({ params }: { params: { name: string; rest: string } }) {
    return `${params.name} and ${params.rest}`;
  }
  @Get('/files/*') file({ params }: { params: { '*': string } }) {
    return params['*'];
  }
  @Post('/files/upload') upload() {
    return 'uploaded';
  }
  @Get('/bytes') bytes() {
    return new Uint8Array([1, 2, 3]);
  }
  @Get('/null') null() {
    return null;
  }
  @Get('/response') response() {
    return new Response('made by hand', { status: 201, headers: { 'x-by': 'hand' } });
  }
  @Get('/function') function() {
    return () => 1;
  }
  @Get('/map') map() {
    return { users: new Map([['ann', 1]]) };
  }
  @Get('/generator') *generator() {
    yield 'one';
  }
  @Get('/items') async *items() {
    yield { tags: new Set(['a']) };
  }
  @Get('/misfit', { response: Order }) misfit(): z.infer<typeof Order> {
    return JSON.parse('{ "id": "secret" }') as z.infer<typeof Order>;
  }
  @Route('PROPFIND', '/files/*') properties({ request }: { request: Request }) {
    return request.method;
  }
}

describe('routes', () => {
  let url: string;
  let port: number;
  let app: TestApp;
  before(async () => {
    @Module({ connections: [Orders] })
    class AppModule {}
    app = await createTestApp(AppModule).start();
    ({ url, port = 0 } = app.address(Orders));
  });
  after(() => app.close({ timeout: 1 }));

  const json = (method: string, body: unknown, type = 'application/json'): RequestInit => ({
    method,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': type },
  });

  it('send what a method returns: JSON, text, bytes, nothing, a Response as it is', async () => {
    const list = await fetch(`${url}/orders?a=1&b=x%20y&b=z`);
    expect(list.headers.get('content-type')).to.equal('application/json');
    expect(list.headers.get('content-length')).to.equal(String((await list.clone().text()).length));
    expect(await list.json()).to.deep.equal({ orders: [], query: { a: '1', b: ['x y', 'z'] } });
    const text = await fetch(`${url}/orders/latest`);
    expect(text.headers.get('content-type')).to.equal('text/plain; charset=utf-8');
    expect(await text.text()).to.equal('the latest');
    const removed = await fetch(`${url}/orders/1`, { method: 'DELETE' });
    expect([removed.status, removed.headers.get('content-length'), await removed.text()]).to.deep.equal([204, null, '']);
    const raw = await fetch(`${url}/bytes`);
    expect(raw.headers.get('content-type')).to.equal('application/octet-stream');
    expect([...new Uint8Array(await raw.arrayBuffer())]).to.deep.equal([1, 2, 3]);
    expect(await (await fetch(`${url}/null`)).json()).to.equal(null);
    const made = await fetch(`${url}/response`);
    expect([made.status, made.headers.get('x-by'), await made.text()]).to.deep.equal([201, 'hand', 'made by hand']);
    expect(await (await fetch(`${url}/files/a`, { method: 'PROPFIND' })).text()).to.equal('PROPFIND');
  });

  it('get what their schemas make of the request, and the request itself', async () => {
    const answer = await fetch(`${url}/orders/7`, json('PUT', { quantity: 3, unknown: true }));
    expect(await answer.json()).to.deep.equal({ id: 7, quantity: 3, url: `${url}/orders/7`, from: '127.0.0.1', request: 'string' });
  });

  it('leave out of an answer what its schema does not name, and answer a misfit with fixed words, logged', async () => {
    expect(await (await fetch(`${url}/orders/7`)).json()).to.deep.equal({ id: 7, quantity: 1 });
    using errors = new Events('connection.error');
    for (const path of ['misfit', 'function', 'map', 'generator']) {
      const answer = await fetch(`${url}/${path}`);
      expect([answer.status, await answer.text()]).to.deep.equal([500, 'something went wrong here']);
    }
    expect(errors.seen.map(({ hook }) => hook)).to.deep.equal(['Get', 'Get', 'Get', 'Get']);
    const [first, second, third, fourth] = errors.seen.map(({ error }) => (error as Error).message);
    expect(first).to.contain("response of GET '/misfit'").and.to.contain('id: ');
    expect(second).to.contain("GET '/function' returned a function");
    expect(third).to.contain("GET '/map' returned a Map at users, which is no JSON");
    expect(fourth).to.contain("GET '/generator' returned a Generator, which is no JSON");
    await fetch(`${url}/items`).then(
      answer => answer.text(),
      () => {},
    );
    expect((errors.seen.at(-1)!.error as Error).message).to.contain("GET '/items' returned a Set at tags");
  });

  it('answer 400 with the issues to what does not fit, and nothing is read of a body behind wrong parameters', async () => {
    const path = await fetch(`${url}/orders/seven`, json('PUT', { quantity: 'x'.repeat(2_000) }));
    expect(path.status).to.equal(400);
    expect(path.headers.get('content-type')).to.equal('application/json');
    const told = (await path.json()) as { message: string; issues: { path: string[]; message: string }[] };
    expect(told.message).to.match(/^invalid params: id: /);
    expect(told.issues).to.have.length(1);
    expect(told.issues[0]!.path).to.deep.equal(['id']);
    const body = (await (await fetch(`${url}/orders/7`, json('PUT', { quantity: 0 }))).json()) as typeof told;
    expect(body.message).to.match(/^invalid body: quantity: /);
    for (const [text, word] of [
      ['{', 'no JSON'],
      ['{"__proto__":{"quantity":1}}', '__proto__'],
      [`${'['.repeat(101)}${']'.repeat(101)}`, 'deeper than 100'],
    ] as const) {
      const answer = await fetch(`${url}/orders/7`, json('PUT', text));
      expect([answer.status, await answer.text()].join(' '), text)
        .to.match(/^400 /)
        .and.to.contain(word);
    }
    const none = await fetch(`${url}/orders/7`, { method: 'PUT' });
    expect(none.status).to.equal(400);
  });

  it('answer 413 to a body that is too large, announced or not, and 415 to one of another type', async () => {
    expect((await fetch(`${url}/orders/7`, json('PUT', { quantity: 1, x: 'x'.repeat(5_000) }))).status).to.equal(413);
    const client = await tcpClient(port);
    await client.send('PUT /orders/7 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.send(`1388\r\n${'x'.repeat(5_000)}\r\n`);
    expect(await client.line()).to.equal('HTTP/1.1 413 Payload Too Large');
    for (const type of ['text/plain', 'text/xml', 'multipart/form-data; boundary=x', 'application/json; charset=utf-16']) {
      expect((await fetch(`${url}/orders/7`, json('PUT', { quantity: 1 }, type))).status, type).to.equal(415);
    }
    const packed = await fetch(`${url}/orders/7`, {
      ...json('PUT', { quantity: 1 }),
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    });
    expect(packed.status).to.equal(415);
    expect((await fetch(`${url}/orders/7`, json('PUT', { quantity: 1 }, 'application/vnd.order+json; charset=UTF-8'))).status).to.equal(
      200,
    );
  });

  it('answer 404 to unknown paths, 405 with Allow to other methods, HEAD by GET and OPTIONS by themselves', async () => {
    for (const path of ['/', '/order', '/orders/', '/orders/1/2', '/Orders', '/files', '/text/a', '/text//b'])
      expect((await fetch(url + path)).status, path).to.equal(404);
    const refused = await fetch(`${url}/orders/1`, { method: 'POST' });
    expect([refused.status, refused.headers.get('allow')]).to.deep.equal([405, 'DELETE, GET, HEAD, OPTIONS, PUT']);
    const options = await fetch(`${url}/orders`, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).to.deep.equal([204, 'GET, HEAD, OPTIONS']);
    const head = await fetch(`${url}/orders/latest`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).to.deep.equal([200, '10', '']);
    expect((await fetch(`${url}/files/upload`)).status).to.equal(200);
    expect(await (await fetch(`${url}/files/upload`, { method: 'POST' })).text()).to.equal('uploaded');
  });

  it('decode parameters one by one, after the path has chosen the route', async () => {
    expect(await (await fetch(`${url}/text/a%20b/%C3%BC%2F..`)).text()).to.equal('a b and ü/..');
    expect(await (await fetch(`${url}/files/a/b%2Fc/`)).text()).to.equal('a/b/c/');
    expect(await (await fetch(`${url}/files/`)).text()).to.equal('');
    expect((await fetch(`${url}/text/%FF/b`)).status).to.equal(400);
    const client = await tcpClient(port);
    await client.send('GET /x/../text/a/%62 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await client.all()).to.match(/a and b$/);
  });

  it('keep a connection open after an answer that refuses, and serve the next request on it', async () => {
    const client = await tcpClient(port);
    for (const [target, status] of [
      ['/nowhere', 404],
      ['/orders/x', 400],
      ['/orders/latest', 200],
    ] as const) {
      await client.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await waitFor(() => client.inbox.text.includes(`HTTP/1.1 ${status} `));
    }
  });

  it('let go of a Node stream when the client leaves, also while it waits for its first or its next item', async () => {
    const made: Readable[] = [];
    @Connection({ listen: HERE })
    class Streams {
      @Get('/:items') items({ params }: { params: { items: string } }) {
        const items = new Readable({ objectMode: true, read() {} });
        if (params.items === 'one') items.push('one');
        made.push(items);
        return items;
      }
    }
    const { port: at } = await serve(Streams);
    using errors = new Events('connection.error');
    for (const items of ['none', 'one']) {
      const client = await tcpClient(at);
      await client.send(`GET /${items} HTTP/1.1\r\nHost: 127.0.0.1:${at}\r\n\r\n`);
      if (items === 'one') await waitFor(() => client.inbox.text.includes('one'));
      else await waitFor(() => made.length === 1);
      await client.destroy();
      await waitFor(() => made.at(-1)!.destroyed);
    }
    expect(errors.seen).to.deep.equal([]);
  });

  it('stream an async iterable as the client reads, and end it when the client leaves', async () => {
    const ended = deferred();
    const stuck = deferred();
    @Connection({ listen: HERE })
    class Streams {
      @Get('/lines') async *lines() {
        yield { n: 1 };
        yield { n: 2 };
      }
      @Get('/text') async *text() {
        yield 'a';
        yield 'b';
      }
      @Get('/endless') async *endless() {
        try {
          for (;;) yield Buffer.alloc(64 * 1024);
        } finally {
          ended.resolve();
        }
      }
      @Get('/nothing') nothing(): AsyncIterable<string> {
        return {
          [Symbol.asyncIterator]: () => ({
            next: () => new Promise(() => {}),
            return: () => {
              stuck.resolve();
              return Promise.resolve({ done: true, value: undefined });
            },
          }),
        };
      }
      @Get('/checked', { response: Order }) async *checked() {
        yield { id: 1, quantity: 1, secret: 1 };
        for (let turns = 0; turns < 3; turns++) await new Promise(resolve => setImmediate(resolve));
        yield JSON.parse('{}') as z.infer<typeof Order>;
      }
    }
    const { url, port } = await serve(Streams);
    const lines = await fetch(`${url}/lines`);
    expect([lines.headers.get('content-type'), await lines.text()]).to.deep.equal(['application/x-ndjson', '{"n":1}\n{"n":2}\n']);
    const text = await fetch(`${url}/text`);
    expect([text.headers.get('content-type'), await text.text()]).to.deep.equal(['text/plain; charset=utf-8', 'ab']);
    const checked = await fetch(`${url}/checked`);
    const reader = checked.body!.getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).to.equal('{"id":1,"quantity":1}\n');
    expect(await reader.read().then(() => 'whole', String)).to.not.equal('whole');
    for (const [path, done] of [
      ['endless', ended],
      ['nothing', stuck],
    ] as const) {
      const client = await tcpClient(port);
      client.socket.pause();
      await client.send(`GET /${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      client.reset();
      await soon(done.promise);
    }
  });

  it('read forms, text and bytes where their schema takes them, and none that a page of another origin sends', async () => {
    @Connection({ listen: HERE })
    class Bodies {
      @Post('/form', {
        body: z.object({ name: z.string(), tags: z.array(z.string()) }),
        query: z.object({ q: z.array(z.string()).optional() }),
      })
      form({ body, query }: { body: object; query: object }) {
        return { body, query };
      }
      @Post('/text', { body: z.string() }) text({ body }: { body: string }) {
        return { text: body };
      }
      @Post('/bytes', { body: bytes() }) bytes({ body }: { body: Uint8Array }) {
        return body;
      }
      @Post('/open') async open({ body, request }: { body: unknown; request: Request }) {
        return { body, text: await request.text() };
      }
      @Post('/maybe', { body: z.object({}).optional() }) maybe({ body }: { body: object | undefined }) {
        return String(body);
      }
    }
    const { url } = await serve(Bodies);
    const post = (path: string, body: string | Uint8Array | null, type: string, headers = {}): Promise<Response> =>
      fetch(url + path, { method: 'POST', body, headers: { 'content-type': type, ...headers } });
    const form = 'application/x-www-form-urlencoded';
    expect(await (await post('/form?q=1', 'name=a+b&tags=x', form)).json()).to.deep.equal({
      body: { name: 'a b', tags: ['x'] },
      query: { q: ['1'] },
    });
    expect((await post('/form', '__proto__=x&name=a&tags=x', form)).status).to.equal(400);
    expect((await post('/form', 'name=a&tags=x', form, { origin: 'http://evil.example' })).status).to.equal(403);
    expect((await post('/form', 'name=a&tags=x', form, { origin: url })).status).to.equal(200);
    expect(await (await post('/text', 'hello', 'text/plain')).json()).to.deep.equal({ text: 'hello' });
    expect((await post('/text', 'hello', 'text/plain', { origin: 'null' })).status).to.equal(403);
    expect(await (await post('/bytes', Buffer.of(1, 2), 'image/png')).arrayBuffer()).to.have.property('byteLength', 2);
    expect(await (await post('/open', '{"a":1}', 'application/json')).json()).to.deep.equal({ body: { a: 1 }, text: '{"a":1}' });
    expect(await (await post('/open', '<a/>', 'text/xml')).json()).to.deep.equal({ text: '<a/>' });
    expect(await (await post('/maybe', null, 'text/xml')).text()).to.equal('undefined');
  });

  it('are inherited, and a subclass takes the place of its base route by route', async () => {
    class Base {
      @Get('/a') a() {
        return 'a of base';
      }
      @Get('/b') b() {
        return 'b of base';
      }
      @Get('/c') c() {
        return 'c of base';
      }
    }
    @Connection({ listen: HERE })
    class Derived extends Base {
      override a() {
        return 'a of derived';
      }
      @Get('/moved') override b() {
        return 'b of derived';
      }
      @Get('/c') other() {
        return 'c of derived';
      }
    }
    const { url } = await serve(Derived);
    const told = await Promise.all(['a', 'b', 'moved', 'c'].map(async path => (await fetch(`${url}/${path}`)).text()));
    expect(told).to.deep.equal(['a of derived', 'not found', 'b of derived', 'c of derived']);
  });

  it('stand beside @OnRequest, which answers everything else, and answer below the path of their endpoint', async () => {
    @Connection({ listen: 'http://127.0.0.1:0/api' })
    class Mixed {
      @Get('/') root() {
        return 'root';
      }
      @Get('/a/:b') route({ params }: { params: { b: string } }) {
        return params.b;
      }
      @Head('/explicit') head() {
        return new Response(null, { headers: { 'x-head': '1' } });
      }
      @Options('/explicit') options() {
        return 'options';
      }
      @Patch('/a/:b') patch() {
        return 'patched';
      }
      @OnRequest() rest({ method, url }: Request) {
        return new Response(`${method} ${new URL(url).pathname}`);
      }
    }
    const { url } = await serve(Mixed);
    const told = async (path: string, method = 'GET'): Promise<string> => (await fetch(url + path, { method })).text();
    expect(await told('')).to.equal('root');
    expect(await told('/')).to.equal('root');
    expect(await told('/a/x')).to.equal('x');
    expect(await told('/a/x', 'PATCH')).to.equal('patched');
    expect(await told('/a/x', 'DELETE')).to.equal('DELETE /api/a/x');
    expect(await told('/other')).to.equal('GET /api/other');
    expect(await told('/explicit', 'OPTIONS')).to.equal('options');
    expect((await fetch(`${url}/explicit`, { method: 'HEAD' })).headers.get('x-head')).to.equal('1');
  });

  it('of several classes share a port and a path, and tell their methods together', async () => {
    @Connection({ listen: HERE })
    class Readers {
      @Get('/things/:id') read() {
        return 'read';
      }
    }
    @Connection({ listen: HERE })
    class Writers {
      @Post('/things/:id') write() {
        return 'written';
      }
      @Get('/things/new') blank() {
        return 'blank';
      }
    }
    @Connection({ listen: HERE })
    class Rest {
      @OnRequest() rest() {
        return new Response('rest');
      }
    }
    const { app, url } = await serve(Readers, Writers, Rest);
    for (const cls of [Writers, Rest]) expect(app.address(cls).port).to.equal(app.address(Readers).port);
    const told = async (path: string, method = 'GET'): Promise<string> => (await fetch(url + path, { method })).text();
    expect(await told('/things/1')).to.equal('read');
    expect(await told('/things/1', 'POST')).to.equal('written');
    expect(await told('/things/new')).to.equal('blank');
    expect(await told('/others')).to.equal('rest');
    expect((await fetch(`${url}/things/1`, { method: 'PUT' })).headers.get('allow')).to.equal('GET, HEAD, OPTIONS, POST');
  });

  it('keep the address rules of their class, however the path is written', async () => {
    @Connection({ listen: { url: HERE, deny: ['127.0.0.0/8'] } })
    class Closed {
      @Get('/admin/:what') admin() {
        return 'admin';
      }
    }
    @Connection({ listen: HERE })
    class Open {
      @OnRequest() rest() {
        return new Response('open');
      }
    }
    const { port } = await serve(Closed, Open);
    for (const [line, status] of [
      ['GET /admin/x', 403],
      ['DELETE /admin/x', 403],
      ['OPTIONS /admin/x', 403],
      ['GET /y/%2e%2e/admin/x', 403],
      ['GET /./%61dmin/x', 403],
      ['GET /admin%2Fx', 400],
      ['GET //admin/x', 400],
      ['GET /other', 200],
    ] as const) {
      const client = await tcpClient(port);
      await client.send(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(await client.all(), line).to.match(new RegExp(`^HTTP/1.1 ${status} `));
    }
  });

  it('take their errors to @OnError first, and @OnClose hears why', async () => {
    const reasons: CloseReason[] = [];
    @Connection({ listen: HERE })
    class Explained {
      @Get('/n/:n', { params: z.object({ n: z.coerce.number() }) }) n({ params }: { params: { n: number } }) {
        if (params.n === 0) throw new Error('zero');
        return params.n;
      }
      @OnError() explain(error: Error, { hook }: { hook?: string | undefined }) {
        if (error.message === 'zero') return new Response(`${hook}: ${error.message}`, { status: 418 });
        return undefined;
      }
      @OnClose() closed(reason: CloseReason) {
        reasons.push(reason);
      }
    }
    const { url } = await serve(Explained);
    const zero = await fetch(`${url}/n/0`);
    expect([zero.status, await zero.text()]).to.deep.equal([418, 'Get: zero']);
    expect((await fetch(`${url}/n/x`)).status).to.equal(400);
    expect((await fetch(`${url}/n/1`)).status).to.equal(200);
    await waitFor(() => reasons.length === 3);
    expect(reasons.map(({ code }) => code)).to.deep.equal(['END', 'ERR_PACKET_BOUNDARY', 'END']);
  });
});
