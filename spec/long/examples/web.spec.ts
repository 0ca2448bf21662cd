import { expect } from 'chai';
import { Browser } from '../../kit/clients/browser.js';
import { atEnd, holdExamplePorts, needsProgram, spawnProgram, spawnScript, waitFor, webClient, type Script } from '../../kit/index.js';

async function example(name: string): Promise<Script> {
  const server = spawnScript(new URL(`../../../examples/${name}/main.js`, import.meta.url));
  atEnd(() => server.kill());
  await server.errorLine(/"msg":"listening"/);
  return server;
}

async function stops(server: Script): Promise<void> {
  server.kill('SIGTERM');
  expect(await server.exit()).to.deep.equal({ code: 0, signal: null });
}

describe('the example http', function () {
  if (!needsProgram('curl', 'wrk')) return;
  before(holdExamplePorts);

  it('answers curl: statuses, errors of its worker, a body echoed as it comes', async () => {
    const server = await example('http');
    const curl = async (...args: string[]): Promise<string> => {
      const program = spawnProgram('curl', ['-sS', '-w', '|%{http_code}', ...args]);
      expect(await program.exit({ within: '15s' })).to.deep.equal({ code: 0, signal: null });
      return program.stdout.text;
    };
    const base = 'http://127.0.0.1:11080';
    expect(await curl(`${base}/primes?below=100`)).to.equal('{"below":100,"primes":25}|200');
    expect(await curl(`${base}/primes?below=x`)).to.match(/\|400$/);
    expect(await curl(`${base}/primes?below=100000000`)).to.equal('not answered in time|504');
    expect(await curl(base)).to.equal('not found\n|404');
    expect(await curl('-I', `${base}/echo`)).to.match(/HTTP\/1.1 200 OK[^]*\|200$/);
    expect(await curl('--data-binary', 'x'.repeat(100_000), '-H', 'Expect: 100-continue', `${base}/echo`)).to.equal(
      `${'x'.repeat(100_000)}|200`,
    );
    expect(await curl('--data-binary', 'a=b', '-H', 'Transfer-Encoding: chunked', `${base}/echo`, `${base}/echo`)).to.equal(
      'a=b|200a=b|200',
    );
    await stops(server);
  });

  it('answers wrk, every request, while a worker is at it', async () => {
    const server = await example('http');
    const slow = spawnProgram('curl', ['-s', 'http://127.0.0.1:11080/primes?below=400000']);
    const load = spawnProgram('wrk', ['-t1', '-c16', '-d3s', '--timeout', '10s', 'http://127.0.0.1:11080/primes?below=10']);
    expect(await load.exit()).to.deep.equal({ code: 0, signal: null });
    expect(Number(/(\d+) requests in/.exec(load.stdout.text)![1])).to.be.greaterThan(50);
    expect(load.stdout.text).to.not.match(/Socket errors|Non-2xx/);
    await slow.exit();
    await stops(server);
  });
});

describe('the example rest', () => {
  before(holdExamplePorts);

  it('is used as its document says', async () => {
    const server = await example('rest');
    const base = 'http://127.0.0.1:11082';
    const json = (method: string, body: unknown): RequestInit => ({
      method,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    const added = await fetch(`${base}/orders`, json('POST', { item: 'chair', quantity: 2 }));
    expect([added.status, added.headers.get('location')]).to.deep.equal([201, '/orders/1']);
    expect(await (await fetch(`${base}/orders/1`)).json()).to.deep.equal({ id: 1, item: 'chair', quantity: 2 });
    expect(await (await fetch(`${base}/orders/1`, json('PUT', { item: 'chair', quantity: 3 }))).json()).to.deep.include({ quantity: 3 });
    expect(await (await fetch(`${base}/orders?size=1`)).json()).to.have.length(1);
    const fromPage = await fetch(`${base}/orders`, { headers: { origin: 'http://localhost:5173' } });
    expect(fromPage.headers.get('access-control-allow-origin')).to.equal('http://localhost:5173');
    expect(fromPage.headers.get('server-timing')).to.match(/^app;dur=\d/);
    const wrong = await fetch(`${base}/orders`, json('POST', { item: '', quantity: 0 }));
    expect(wrong.status).to.equal(400);
    expect(((await wrong.json()) as { issues: { path: string[] }[] }).issues.map(({ path }) => path[0])).to.deep.equal([
      'item',
      'quantity',
    ]);
    expect((await fetch(`${base}/orders/1`, { method: 'DELETE' })).status).to.equal(204);
    const gone = await fetch(`${base}/orders/1`);
    expect([gone.status, await gone.json()]).to.deep.equal([404, { message: 'there is no order 1' }]);
    const { paths } = (await (await fetch(`${base}/openapi.json`)).json()) as { paths: Record<string, Record<string, object>> };
    expect(Object.keys(paths['/orders/{id}']!)).to.deep.equal(['get', 'put', 'delete']);
    await stops(server);
  });
});

describe('the example websocket-chat', function () {
  if (!needsProgram('chromium')) return;
  before(holdExamplePorts);

  it('is used by two people with a browser and one without', async () => {
    const server = await example('websocket-chat');
    const browser = Browser.start();
    const ann = await browser.open('http://127.0.0.1:11081/');
    const bob = await browser.open('http://localhost:11081/');
    const list = async (page: typeof ann): Promise<string> => String(await page.evaluate('document.querySelector("#said").innerText'));
    await waitFor(async () => (await list(ann)).includes('somebody joined'), { within: '10s' });
    const script = await webClient('ws://127.0.0.1:11081/chat');
    expect(JSON.parse(String(await script.next()))).to.deep.equal({ from: '*', text: '3 here' });
    const say = (name: string, text: string): string =>
      `{ const { from, text } = document.forms[0].elements; from.value = '${name}'; text.value = '${text}'; document.forms[0].requestSubmit(); }`;
    await ann.evaluate(say('ann', 'hello bob'));
    await waitFor(async () => (await list(bob)).includes('ann: hello bob'), { within: '10s' });
    await bob.evaluate(say('bob', 'grüße 👋'));
    await waitFor(async () => (await list(ann)).includes('bob: grüße 👋'), { within: '10s' });
    expect(JSON.parse(String(await script.next()))).to.deep.equal({ from: 'ann', text: 'hello bob' });
    expect(JSON.parse(String(await script.next()))).to.deep.equal({ from: 'bob', text: 'grüße 👋' });
    script.send('{"from":"","text":""}');
    expect(await script.closed).to.include({ code: 1007 });
    await waitFor(async () => (await list(ann)).includes('somebody left'), { within: '10s' });
    await stops(server);
    await waitFor(async () => (await list(bob)).includes('* disconnected (1001)'), { within: '10s' });
  });

  it('does not let a page of another origin in', async () => {
    const server = await example('websocket-chat');
    const page = await Browser.start().open('data:text/html,<title>elsewhere</title>');
    const outcome = await page.evaluate(`new Promise(done => {
      const socket = new WebSocket('ws://127.0.0.1:11081/chat');
      socket.onopen = () => done('open');
      socket.onerror = () => done('refused');
    })`);
    expect(outcome).to.equal('refused');
    await stops(server);
  });
});
