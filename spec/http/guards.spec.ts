import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { z } from 'zod';
import { ConfigurationError, Connection, OnData, OnError, type About } from 'packet-ts';
import { Get, OnRequest, Post, Use, type UseFunction } from 'packet-ts/http';
import { served } from '../kit/asked.js';
import { Events } from '../kit/events.js';
import { replacedWeb } from '../kit/replaced-web.js';

const HERE = 'http://127.0.0.1:0';
const signedIn: UseFunction = ({ headers }) =>
  headers.get('authorization') === 'me' ? undefined : new Response('who are you?', { status: 401 });
const asMe = { headers: { authorization: 'me' } };

/** A guard that notes its name and goes on. */
function noted(list: string[], name: string): UseFunction {
  return async (_request, next) => {
    list.push(name);
    const response = await next();
    list.push(`${name} ended`);
    return response;
  };
}

describe('@Use', () => {
  it('refuses before anything of the request is validated or read, on the class for all that it answers', async () => {
    const seen: unknown[] = [];
    @Connection({ listen: HERE })
    @Use(signedIn)
    class Guarded {
      @Post('/orders', { body: z.object({ id: z.number() }) }) add({ body }: { body: { id: number } }) {
        seen.push(body);
        return body;
      }
      @OnRequest() other() {
        seen.push('other');
        return new Response('other');
      }
    }
    const { ask } = await served(Guarded);
    const wrong = { method: 'POST', body: '{"id":"x"}', headers: { 'content-type': 'application/json' } };
    for (const path of ['/orders', '/other', '/']) {
      const { status, text } = await ask(path, wrong);
      expect([status, text], path).to.deep.equal([401, 'who are you?']);
    }
    expect(seen).to.deep.equal([]);
    expect((await ask('/orders', { ...wrong, headers: { ...wrong.headers, authorization: 'me' } })).status).to.equal(400);
    expect((await ask('/orders', { ...wrong, body: '{"id":1}', headers: { ...wrong.headers, authorization: 'me' } })).text).to.equal(
      '{"id":1}',
    );
    expect((await ask('/', asMe)).text).to.equal('other');
  });

  it('asks them in order: of a base, of the class, of the method; each around those behind it', async () => {
    const list: string[] = [];
    @Use(noted(list, 'base'))
    class Base {
      @Get('/inherited') @Use(noted(list, 'inherited')) inherited() {
        return 'inherited';
      }
    }
    @Connection({ listen: HERE })
    @Use(noted(list, 'first'))
    @Use(noted(list, 'second'))
    class Ordered extends Base {
      @Get('/own') @Use(noted(list, 'own')) own() {
        list.push('method');
        return 'own';
      }
    }
    const { ask } = await served(Ordered);
    expect((await ask('/own')).text).to.equal('own');
    expect(list).to.deep.equal([
      ...['base', 'first', 'second', 'own', 'method'],
      ...['own ended', 'second ended', 'first ended', 'base ended'],
    ]);
    list.length = 0;
    expect((await ask('/inherited')).text).to.equal('inherited');
    expect(list.filter(name => !name.endsWith('ended'))).to.deep.equal(['base', 'first', 'second', 'inherited']);
  });

  it('may change what is answered, also where that is 400 or what @OnError says, and HEAD and streams stay what they are', async () => {
    const stamped: UseFunction = async (_request, next) => {
      const response = await next();
      response.headers.set('x-stamp', String(response.status));
    };
    @Connection({ listen: HERE })
    @Use(stamped)
    class Stamped {
      @Get('/json') json() {
        return { a: 1 };
      }
      @Get('/bad', { query: z.object({ n: z.coerce.number() }) }) bad() {}
      @Get('/error') error() {
        throw new Error('explained');
      }
      @Get('/broken') broken() {
        throw new RangeError('not explained');
      }
      @Get('/items') async *items() {
        yield { i: 1 };
        yield { i: 2 };
      }
      @OnError() explain(error: Error) {
        return error.message === 'explained' ? new Response('sorry', { status: 418 }) : undefined;
      }
    }
    const { ask } = await served(Stamped);
    const stamps = [];
    for (const path of ['/json', '/bad', '/error', '/items']) {
      const { status, headers, text } = await ask(path);
      stamps.push([status, headers['x-stamp'], text.slice(0, 20)]);
    }
    expect(stamps).to.deep.equal([
      [200, '200', '{"a":1}'],
      [400, '400', '{"message":"invalid '],
      [418, '418', 'sorry'],
      [200, '200', '{"i":1}\n{"i":2}\n'],
    ]);
    expect((await ask('/json', { method: 'HEAD' })).headers).to.include({ 'x-stamp': '200', 'content-type': 'application/json' });
    using events = new Events('connection.error');
    expect((await ask('/broken')).status).to.equal(500);
    expect(events.seen).to.have.length(1);
  });

  it('is explained by @OnError where it throws, logged as a 500 otherwise, and never hangs or ends the process', async () => {
    const cases: Record<string, UseFunction> = {
      throws: () => {
        throw new Error('no database');
      },
      rejects: () => Promise.reject(new Error('no database')),
      nothing: (() => 'a string') as unknown as UseFunction,
      // Its rejection has no other listener.
      forgets: (_request, next) => {
        void next();
        return new Response('early', { status: 202 });
      },
    };
    for (const [name, fn] of Object.entries(cases)) {
      @Connection({ listen: HERE })
      class Failing {
        @Get('/') @Use(fn) get() {
          throw new Error('behind it');
        }
      }
      using events = new Events('connection.error');
      const { ask } = await served(Failing);
      const { status } = await ask('/');
      expect([status, events.seen.length], name).to.deep.equal(name === 'forgets' ? [202, 0] : [500, 1]);
    }
    @Connection({ listen: HERE })
    class Explained {
      asked = 0;
      @Get('/guard') @Use(cases['throws']!) guard() {}
      @Get('/method') @Use((_request, next) => next()) method() {
        throw new Error('from the method');
      }
      @OnError() explain(error: Error, { hook }: About) {
        this.asked++;
        return error.message === 'no database' ? new Response(hook, { status: 503 }) : undefined;
      }
      @OnError() count() {
        // The first one is asked once, also where a guard has passed the error on.
        return this.asked === 1 ? new Response('once', { status: 502 }) : undefined;
      }
    }
    const { ask } = await served(Explained);
    expect([(await ask('/guard')).text, (await ask('/method')).text]).to.deep.equal(['Use', 'once']);
  });

  for (const kind of ["the web's own", 'light'] as const) {
    it(`may read the body of a clone, and the route has it still (${kind} Request)`, async () => {
      const restore = kind === 'light' ? replacedWeb() : () => {};
      try {
        const signature = (text: string): string => createHmac('sha256', 'secret').update(text).digest('hex');
        const signed: UseFunction = async request =>
          request.headers.get('x-signature') === signature(await request.clone().text()) ? undefined : new Response('', { status: 403 });
        const greedy: UseFunction = async request => void (await request.blob());
        @Connection({ listen: HERE })
        class Hooks {
          @Post('/signed') @Use(signed) async signed({ body, request }: { body: unknown; request: Request }) {
            return { body, again: await request.text() };
          }
          @Post('/greedy') @Use(greedy) greedy({ body }: { body: unknown }) {
            return body;
          }
        }
        const { ask } = await served(Hooks);
        const body = '{"event":"paid"}';
        const how = { method: 'POST', body, headers: { 'content-type': 'application/json', 'x-signature': signature(body) } };
        expect(JSON.parse((await ask('/signed', how)).text)).to.deep.equal({ body: { event: 'paid' }, again: body });
        expect((await ask('/signed', { ...how, body: '{"event":"else"}' })).status).to.equal(403);
        using events = new Events('connection.error');
        expect((await ask('/greedy', how)).status).to.equal(500);
        expect(String(events.seen[0]!['error'])).to.match(/read before its route.*request\.clone\(\)/);
      } finally {
        restore();
      }
    });
  }

  it('goes with @OnRequest of a base and of a subclass, each with its own', async () => {
    class Base {
      @OnRequest() @Use(signedIn) base() {
        return new Response('base');
      }
    }
    @Connection({ listen: HERE })
    class Sub extends Base {
      @OnRequest() sub({ url }: Request): Response {
        // Nothing: the next one is asked.
        return url.endsWith('/sub') ? new Response('sub') : (undefined as unknown as Response);
      }
    }
    const { ask } = await served(Sub);
    expect([(await ask('/sub')).text, (await ask('/x')).status, (await ask('/x', asMe)).text]).to.deep.equal(['sub', 401, 'base']);
  });

  it('is a mistake at bootstrap where nothing answers requests, and at once where it is no function', async () => {
    class Lines {
      @OnData() @Use(signedIn) line(line: string) {
        return line;
      }
    }
    Use(signedIn)(Lines);
    Connection({ listen: 'tcp://127.0.0.1:0' })(Lines);
    const error = await served(Lines).then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    );
    expect(error).to.be.instanceOf(ConfigurationError);
    expect(error!.message)
      .to.match(/method that answers no request/)
      .and.match(/class that answers no request/);
    expect(() => Use('x' as never)).to.throw(/@Use takes a function/);
  });
});
