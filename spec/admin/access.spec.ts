import { request } from 'node:http';
import { expect } from 'chai';
import { bootstrap, ConfigurationError, Module } from 'packet-ts';
import { webClient } from '../kit/index.js';
import { byPassword, inlineAdminApp } from './support/admin-app.js';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** A request with a Host of its own, which fetch() does not send. */
function ask(url: string, headers: Readonly<Record<string, string>>, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(url, { headers, method }, response => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    })
      .on('error', reject)
      .end();
  });
}

async function refusal(opening: Promise<unknown>): Promise<string> {
  try {
    await opening;
  } catch (error) {
    return (error as Error).message;
  }
  return 'it was opened';
}

@Module()
class Empty {}

describe('who may use the page', function () {
  this.timeout(30_000);

  it('serves its files with a policy that lets nothing of another host in, and nothing else of the disk', async () => {
    const app = await inlineAdminApp();
    const { url } = app.admin!;
    for (const path of ['/', '/style.css', '/main.js', '/connect.js', '/dom.js', '/format.js', '/sections.js']) {
      const { status, headers, body } = await ask(new URL(path, url).href, {});
      expect(status, path).to.equal(200);
      expect(headers['content-security-policy']).to.match(/^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'/);
      expect(headers['x-content-type-options']).to.equal('nosniff');
      expect(headers['access-control-allow-origin']).to.equal(undefined);
      expect(body).not.to.match(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    }
    for (const path of ['/index.html', '/../package.json', '/%2e%2e/package.json', '/main.js/', '/feed/x'])
      expect((await ask(`${url.replace(/\/$/, '')}${path}`, {})).status, path).to.equal(404);
    expect((await ask(url, {}, 'POST')).status).to.equal(405);
  });

  it('refuses names that were pointed at the loopback, and pages of other origins', async () => {
    const app = await inlineAdminApp({ authorize: () => 'operate' });
    const { url } = app.admin!;
    expect((await ask(url, { host: 'evil.example' })).status).to.be.oneOf([400, 403, 404, 421]);
    const feed = `${url.replace('http', 'ws').replace(/\/$/, '')}/feed`;
    expect(await refusal(webClient(feed, [], { headers: { origin: 'http://evil.example' } }))).to.include('403');
    expect(await refusal(webClient(feed, [], { headers: { host: 'evil.example' } }))).to.include('403');
    expect(await refusal(webClient(feed, [], { headers: { origin: 'null' } }))).to.include('403');
  });

  it('asks authorize for every file and for the websocket, and sends away whom it does not let in', async () => {
    const app = await inlineAdminApp({ authorize: byPassword });
    const { url } = app.admin!;
    const wrong = { authorization: 'Bearer guess' };
    expect(await ask(url, wrong)).to.include({ status: 401, body: 'who are you?' });
    expect((await ask(new URL('/main.js', url).href, wrong)).status).to.equal(401);
    const feed = `${url.replace('http', 'ws').replace(/\/$/, '')}/feed`;
    expect(await refusal(webClient(feed, [], { headers: wrong }))).to.include('401');
    const silent = await inlineAdminApp({ authorize: () => undefined });
    expect((await ask(silent.admin!.url, {})).status).to.equal(403);
    expect(await refusal(webClient(`${silent.admin!.url.replace('http', 'ws').replace(/\/$/, '')}/feed`))).to.include('403');
  });

  it('does not listen for other machines without authorize, and says so with all other mistakes', async () => {
    for (const [admin, words] of [
      [{ listen: 'http://0.0.0.0:0' }, 'can be reached by others than this machine'],
      [{ listen: 'http://[::]:0' }, 'can be reached by others than this machine'],
      [{ listen: 'tcp://127.0.0.1:0' }, 'admin'],
      [{ listen: 'http://127.0.0.1:0/page' }, 'admin'],
      [{ autorize: () => 'read' }, 'admin'],
    ] as const) {
      const error: unknown = await bootstrap(Empty, { admin: admin as never, logger: false, signals: false }).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).to.be.instanceOf(ConfigurationError);
      expect((error as Error).message).to.include(words);
    }
  });

  it('takes another port of the loopback where that of the page is taken, and there is none without the option', async () => {
    const first = await inlineAdminApp(true);
    const second = await inlineAdminApp(true);
    expect(first.admin!.host).to.equal('127.0.0.1');
    expect(second.admin!.port).not.to.equal(first.admin!.port);
    expect((await ask(second.admin!.url, {})).status).to.equal(200);
    const without = await bootstrap(Empty, { logger: false, signals: false });
    expect(without.admin).to.equal(undefined);
    await without.close();
  });
});
