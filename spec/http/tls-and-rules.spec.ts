import { once } from 'node:events';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { Hono } from 'hono';
import { bootstrap, Connection, Module, type App, type ModuleOptions } from 'packet-ts';
import { mount, OnRequest, type RequestAbout } from 'packet-ts/http';
import { Authority } from '../kit/programs/certificates.js';
import { Events } from '../kit/events.js';
import { atEnd, needsProgram, soon, tcpClient } from '../kit/index.js';

async function start(connections: NonNullable<ModuleOptions['connections']>): Promise<App> {
  @Module({ connections })
  class AppModule {}
  const app = await bootstrap(AppModule, { logger: false, signals: false });
  atEnd(() => app.close({ timeout: 1 }));
  return app;
}

async function get(options: RequestOptions): Promise<string> {
  const asking = httpsRequest({ agent: false, host: '127.0.0.1', servername: 'localhost', ...options }).end();
  const [answer] = (await soon(once(asking, 'response'))) as [IncomingMessage];
  return (await answer.setEncoding('utf8').toArray()).join('');
}

describe('https', function () {
  if (!needsProgram('openssl')) return;
  let authority: Authority;
  before(() => (authority = new Authority()));
  after(() => authority[Symbol.dispose]());

  it('serves requests and what is mounted, and shows who asks', async () => {
    const tls = { ...authority.issue('localhost', '127.0.0.1'), ca: authority.cert, clientCert: 'request' as const };
    const abouts: RequestAbout[] = [];
    @Connection({ listen: { url: 'https://127.0.0.1:0/api', tls } })
    class Safe {
      @OnRequest() answer({ url }: Request, about: RequestAbout) {
        abouts.push(about);
        return new Response(url);
      }
    }
    const web = mount(
      new Hono().get('/', c => c.text(c.req.url)),
      { listen: { url: 'https://127.0.0.1:0', tls } },
    );
    const app = await start([Safe, web]);
    const { port, url } = app.address(Safe);
    expect(url).to.equal(`https://127.0.0.1:${port}/api`);
    expect(app.address(web).port).to.equal(port);
    const { cert, key } = authority.issue('a client');
    expect(await get({ port, path: '/api/x', ca: authority.cert, cert, key })).to.equal(`https://127.0.0.1:${port}/api/x`);
    expect(abouts[0]!.tls).to.include({ authorized: true, servername: 'localhost' });
    expect(abouts[0]!.remote.url).to.match(/^https:/);
    expect(await get({ port, path: '/', ca: authority.cert })).to.equal(`https://127.0.0.1:${port}/`);
    const plain = await tcpClient(port);
    await plain.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await plain.all()).to.equal('');
  });

  it('does not wait longer than handshakeTimeout for what comes before HTTP', async () => {
    using refused = new Events('listener.reject');
    @Connection({ listen: { url: 'https://127.0.0.1:0', tls: authority.issue('localhost'), handshakeTimeout: 50 } })
    class Safe {
      @OnRequest() answer() {
        return new Response('safe');
      }
    }
    const app = await start([Safe]);
    const told = refused.next();
    expect(await (await tcpClient(app.address(Safe).port)).all()).to.equal('');
    expect(await soon(told)).to.include({ reason: 'handshakeTimeout' });
  });

  it('is not shared with endpoints that have other certificates, and needs one', async () => {
    const listen = (port: number): object => ({ url: `https://127.0.0.1:${port}/${Math.random()}`, tls: authority.issue('localhost') });
    class Safe {
      answer() {
        return new Response('safe');
      }
    }
    OnRequest()(Safe.prototype, 'answer', Object.getOwnPropertyDescriptor(Safe.prototype, 'answer')!);
    Connection()(Safe);
    const app = await start([]);
    const first = await app.reactor.listen(Safe, listen(0) as { url: 'https://x' });
    const second = await app.reactor.listen(Safe, listen(first.address.port) as { url: 'https://x' }).catch(String);
    expect(second).to.contain('other certificates');
    expect(await app.reactor.listen(Safe, 'https://127.0.0.1:0').catch(String)).to.contain('no certificate');
  });
});

describe('address rules of http', () => {
  it('close who is denied before anything is read, and tell of it', async () => {
    using refused = new Events('listener.reject');
    @Connection({ listen: { url: 'http://127.0.0.1:0', deny: ['127.0.0.0/8'] } })
    class Nobody {
      @OnRequest() answer() {
        return new Response('never');
      }
    }
    const app = await start([Nobody]);
    expect(await (await tcpClient(app.address(Nobody).port)).all()).to.equal('');
    expect(refused.seen.map(({ reason }) => reason)).to.deep.equal(['deny']);
  });

  it('hold for each endpoint of a shared port', async () => {
    @Connection({ listen: { url: 'http://127.0.0.1:0/private', deny: ['127.0.0.0/8'] } })
    class Private {
      @OnRequest() answer() {
        return new Response('never');
      }
    }
    const web = mount(
      new Hono().get('/', c => c.text('public')),
      { listen: 'http://127.0.0.1:0' },
    );
    const other = mount(new Hono(), { listen: { url: 'http://127.0.0.1:0/other', deny: ['127.0.0.1'] } });
    const app = await start([Private, web, other]);
    const { url } = app.address(web);
    expect(await (await fetch(url)).text()).to.equal('public');
    expect((await fetch(`${url}/private`)).status).to.equal(403);
    expect((await fetch(`${url}/other`)).status).to.equal(403);
  });

  it('say which url makes no sense', async () => {
    const wrong = (url: string): Promise<string> => start([mount(new Hono(), { listen: url as 'http://x' })]).then(String, String);
    expect(await wrong('http://127.0.0.1:0?q')).to.contain('leave the query out');
    expect(await wrong('http://a:b@c:1')).to.contain("not written like 'http://host:port/path'");
    expect(await wrong('http://no.such.name.invalid:0')).to.contain('ListenError');
  });
});
