import { expect } from 'chai';
import { Connection, Module } from 'packet-ts';
import { mount, OnRequest, useLightWeb } from 'packet-ts/http';
import { createTestApp } from 'packet-ts/testing';
import { Hono } from 'hono';
import { atEnd } from '../kit/index.js';
import { replacedWeb } from '../kit/replaced-web.js';

/** Serves one function, and asks it. */
async function asked(answer: (request: Request) => unknown, init: RequestInit = {}, path = '/a?b=c'): Promise<unknown> {
  @Connection({ listen: 'http://127.0.0.1:0' })
  class Asked {
    @OnRequest() async answer(request: Request): Promise<Response> {
      return Response.json((await answer(request)) ?? null);
    }
  }
  @Module({ connections: [Asked] })
  class AppModule {}
  const app = await createTestApp(AppModule).start();
  atEnd(() => app.close({ timeout: 1 }));
  const { url } = app.address(Asked);
  return (await fetch(url + path, init)).json();
}

const POST = { method: 'POST', body: 'hello', headers: { 'x-a': '1' } };

describe('the globals of a process', () => {
  it('are its own while an http: endpoint listens, until useLightWeb() is called, and once after that', async () => {
    const before = [Request, Response, fetch, Headers];
    expect(await asked(() => [Request === before[0], Response === before[1], fetch === before[2]])).to.deep.equal([true, true, true]);
    const restore = replacedWeb();
    const replaced = [Request, Response, fetch];
    useLightWeb();
    expect([Request, Response, fetch]).to.deep.equal(replaced);
    restore();
    expect([Request, Response, fetch, Headers]).to.deep.equal(before);
  });
});

for (const kind of ["the web's own", 'light']) {
  describe(`the Request of a handler, ${kind}`, () => {
    if (kind === 'light') {
      let restore: (() => void) | undefined;
      before(() => (restore = replacedWeb()));
      after(() => restore?.());
    }

    it("is an instance of the web's own, and can be given to fetch() and new Request() with everything that it has", async () => {
      const outcome = await asked(async request => {
        const copy = new Request(request, { headers: { 'x-b': '2' } });
        const { method, url } = copy;
        return [
          request instanceof Request,
          copy instanceof Request,
          method,
          new URL(url).pathname,
          copy.headers.get('x-b'),
          await copy.text(),
        ];
      }, POST);
      expect(outcome).to.deep.equal([true, true, 'POST', '/a', '2', 'hello']);
      @Connection({ listen: 'http://127.0.0.1:0' })
      class Behind {
        @OnRequest() async answer(request: Request) {
          return new Response(`${request.method} ${request.headers.get('x-a')} ${await request.text()}`);
        }
      }
      @Connection({ listen: 'http://127.0.0.1:0/front' })
      class Front {
        @OnRequest() answer(request: Request) {
          return fetch(new Request(app.address(Behind).url, request));
        }
      }
      @Connection({ listen: 'http://127.0.0.1:0/same' })
      class Same {
        @OnRequest() async answer(request: Request) {
          // To itself, with one header more.
          if (request.headers.has('x-again')) return new Response(`again ${await request.text()}`);
          return fetch(request, { headers: { 'x-again': '1' } });
        }
      }
      @Module({ connections: [Behind, Front, Same] })
      class AppModule {}
      const app = await createTestApp(AppModule).start();
      atEnd(() => app.close({ timeout: 1 }));
      expect(await (await fetch(app.address(Front).url, POST)).text()).to.equal('POST 1 hello');
      expect(await (await fetch(app.address(Same).url, POST)).text()).to.equal('again hello');
    });

    it('has its body once, in whatever form, and none where none was sent', async () => {
      const forms: Record<string, (request: Request) => unknown> = {
        text: request => request.text(),
        json: async request => JSON.stringify(await request.json()),
        arrayBuffer: async request => Buffer.from(await request.arrayBuffer()).toString(),
        blob: async request => (await request.blob()).text(),
        body: async request => {
          const parts: Uint8Array[] = [];
          for await (const part of request.body!) parts.push(part);
          return Buffer.concat(parts).toString();
        },
        clone: async request => (await request.clone().text()) && request.text(),
      };
      for (const [name, read] of Object.entries(forms)) {
        const outcome = await asked(
          async request => {
            const before = request.bodyUsed;
            const first = await read(request);
            const again = await request.text().then(
              () => 'read again',
              (error: Error) => error.name,
            );
            return [before, first, request.bodyUsed, again, request.body === null];
          },
          { method: 'POST', body: '"hello"' },
        );
        expect(outcome, name).to.deep.equal([false, '"hello"', true, 'TypeError', false]);
      }
      expect(await asked(async request => [request.body, await request.text(), await request.text(), request.bodyUsed])).to.deep.equal([
        null,
        '',
        '',
        false,
      ]);
    });

    it('is whole in its other properties, and its url is spelled as URL spells it', async () => {
      const path = `/a'b?c='"<é`;
      const outcome = await asked(
        ({ url, method, headers, redirect, mode, signal, credentials }) => [
          url === new URL(url).href,
          new URL(url).pathname,
          method,
          [...headers].some(([name]) => name === 'host'),
          redirect,
          mode,
          signal.aborted,
          credentials,
        ],
        {},
        path,
      );
      expect(outcome).to.deep.equal([true, "/a'b", 'GET', true, 'follow', 'cors', false, 'same-origin']);
    });

    it('is what a mounted Hono application is given, with its body', async () => {
      const hono = new Hono().post('/echo', async ({ req, json }) => json({ got: await req.json(), raw: req.raw instanceof Request }));
      const web = mount(hono, { listen: 'http://127.0.0.1:0' });
      @Module({ connections: [web] })
      class AppModule {}
      const app = await createTestApp(AppModule).start();
      atEnd(() => app.close({ timeout: 1 }));
      const answer = await fetch(`${app.address(web).url}/echo`, { method: 'POST', body: '[1]' });
      expect(await answer.json()).to.deep.equal({ got: [1], raw: true });
    });
  });
}
