import { expect } from 'chai';
import express from 'express';
import { ConfigurationError, Connection } from 'packet-ts';
import { Get, mount, OnRequest, Post, Put, type CorsOptions, type RequestAbout } from 'packet-ts/http';
import { asked, served } from '../kit/asked.js';
import { Events } from '../kit/events.js';

const HERE = 'http://127.0.0.1:0';
const APP = 'https://app.example';
const EVIL = 'https://evil.example';

async function orders(cors: CorsOptions) {
  @Connection({ listen: HERE, cors })
  class Orders {
    @Get('/orders') list(_input: unknown, { cookies }: RequestAbout) {
      cookies.set('seen', '1');
      return Response.json([], { headers: { vary: 'Accept', 'set-cookie': 'own=1' } });
    }
    @Put('/orders/:id') change() {
      return 'changed';
    }
    @Post('/form') form({ body }: { body: unknown }) {
      return body;
    }
  }
  return served(Orders);
}

function preflight(origin: string, method = 'PUT', fields = 'content-type'): object {
  return {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': fields },
  };
}

describe('cors', () => {
  it('answers a preflight with the methods of the path and the fields that are asked for, and names no other origin', async () => {
    const { ask } = await orders({ origin: [APP], credentials: true, maxAge: '10m' });
    const { status, headers, text } = await ask('/orders/7', preflight(APP));
    expect([status, text]).to.deep.equal([204, '']);
    expect(headers).to.include({
      'access-control-allow-origin': APP,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'PUT',
      'access-control-allow-headers': 'content-type',
      'access-control-max-age': '600',
      vary: 'Origin, Access-Control-Request-Headers',
    });
    const other = await ask('/orders/7', preflight(EVIL));
    expect(other.status).to.equal(204);
    expect(other.headers).to.include({ vary: 'Origin, Access-Control-Request-Headers' });
    expect(Object.keys(other.headers).filter(name => name.startsWith('access-control'))).to.deep.equal([]);
  });

  it('tells a page of an allowed origin what it may read, keeps what the route says of caches, and varies for everybody', async () => {
    const { ask } = await orders({ origin: [APP], exposedHeaders: ['x-total'] });
    const { headers } = await ask('/orders', { headers: { origin: APP } });
    expect(headers).to.include({ 'access-control-allow-origin': APP, 'access-control-expose-headers': 'x-total', vary: 'Origin, Accept' });
    expect(headers['set-cookie']).to.deep.equal(['seen=1; Path=/; HttpOnly; SameSite=Lax', 'own=1']);
    expect(headers).to.not.have.property('access-control-allow-credentials');
    for (const origin of [EVIL, `${APP}.evil.example`, `${APP}:8443`, 'null', 'http://app.example', APP.toUpperCase()]) {
      const answer = await ask('/orders', { headers: { origin } });
      expect(answer.headers, origin).to.not.have.property('access-control-allow-origin');
      expect(answer.headers.vary, origin).to.equal('Origin, Accept');
    }
    expect((await ask('/orders')).headers.vary).to.equal('Origin, Accept');
  });

  it("is told with answers that no route has made: 404, 405 and what is too large; any origin is '*'", async () => {
    const { ask } = await orders({ origin: '*' });
    for (const [path, method, status] of [
      ['/nowhere', 'GET', 404],
      ['/orders', 'PATCH', 405],
    ] as const) {
      const answer = await ask(path, { method, headers: { origin: EVIL } });
      expect([answer.status, answer.headers['access-control-allow-origin'], answer.headers.vary]).to.deep.equal([status, '*', undefined]);
    }
    const large = await ask('/form', { method: 'POST', headers: { origin: EVIL, 'content-length': '9999999' } });
    expect([large.status, large.headers['access-control-allow-origin']]).to.deep.equal([413, '*']);
    expect((await ask('/nowhere', preflight(EVIL))).headers['access-control-allow-methods']).to.contain('DELETE');
  });

  it('asks a function, whose mistake is a 500 that is logged and grants nothing', async () => {
    using events = new Events('connection.error');
    const { ask } = await orders({
      origin: origin => {
        if (origin.endsWith('.broken')) throw new Error('no database');
        if (origin.endsWith('.later')) return Promise.resolve(true) as unknown as boolean;
        return origin.endsWith('.example');
      },
    });
    expect((await ask('/orders', { headers: { origin: EVIL } })).headers['access-control-allow-origin']).to.equal(EVIL);
    for (const origin of ['https://a.broken', 'https://a.later']) {
      const answer = await ask('/orders', { headers: { origin } });
      expect([answer.status, answer.headers['access-control-allow-origin']], origin).to.deep.equal([500, undefined]);
    }
    expect(events.seen).to.have.length(2);
    // What is repeated in an answer is bounded.
    const long = await ask('/orders', { headers: { origin: `https://${'a'.repeat(4_000)}.example` } });
    expect(long.headers).to.not.have.property('access-control-allow-origin');
  });

  it('lets forms of an origin in that it names, and of no other', async () => {
    const form = { method: 'POST', body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '3' } };
    const named = await orders({ origin: [APP] });
    const anybody = await orders({ origin: '*' });
    const from = (origin: string) => ({ ...form, headers: { ...form.headers, origin } });
    expect((await named.ask('/form', from(APP))).text).to.equal('{"a":"1"}');
    expect((await named.ask('/form', from(EVIL))).status).to.equal(403);
    expect((await anybody.ask('/form', from(APP))).status).to.equal(403);
  });

  it('holds for what is mounted, and for one endpoint of several on a port', async () => {
    const web = mount(
      express().get('/express', (_request, response) => void response.vary('Accept').send('hello')),
      { listen: 'http://127.0.0.1:0/express', cors: { origin: [APP] } },
    );
    @Connection({ listen: HERE })
    class Closed {
      @OnRequest() get() {
        return new Response('closed');
      }
    }
    @Connection({ listen: 'http://127.0.0.1:0/api', cors: { origin: '*' } })
    class Reads {
      @Get('/x') get() {
        return 'x';
      }
    }
    @Connection({ listen: 'http://127.0.0.1:0/api', cors: { origin: [APP] } })
    class Writes {
      @Put('/x') put() {
        return 'x';
      }
    }
    const { port } = await served(Closed, web, Reads, Writes);
    const mounted = await asked(port, '/express', { headers: { origin: APP } });
    expect([mounted.text, mounted.headers['access-control-allow-origin'], mounted.headers.vary]).to.deep.equal([
      'hello',
      APP,
      'Origin, Accept',
    ]);
    expect((await asked(port, '/express', preflight(APP))).status).to.equal(204);
    expect((await asked(port, '/', { headers: { origin: APP } })).headers).to.not.have.property('access-control-allow-origin');
    // A preflight is answered by the class that has the method.
    expect((await asked(port, '/api/x', preflight(EVIL, 'GET'))).headers['access-control-allow-origin']).to.equal('*');
    expect((await asked(port, '/api/x', preflight(EVIL, 'PUT'))).headers['access-control-allow-origin']).to.equal(undefined);
    expect((await asked(port, '/api/x', preflight(APP, 'PUT'))).headers['access-control-allow-origin']).to.equal(APP);
  });

  it('refuses at bootstrap what would let any page read with the cookies of a visitor, and what no browser sends', async () => {
    const wrong: unknown[] = [
      true,
      {},
      { origin: '*', credentials: true },
      { origin: ['*'] },
      { origin: [APP, '*'], credentials: true },
      { origin: ['null'] },
      { origin: [`${APP}/`] },
      { origin: /example/ },
      { origin: APP },
      { origin: '*', methods: ['get'] },
      { origin: '*', exposedHeaders: ['a b'] },
      { origin: '*', maxAge: 'long' },
      { origin: '*', orign: 1 },
    ];
    for (const cors of wrong) {
      const error = await orders(cors as CorsOptions).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error, JSON.stringify(cors)).to.be.instanceOf(ConfigurationError);
      expect((error as Error).message).to.match(/cors/);
    }
  });
});
