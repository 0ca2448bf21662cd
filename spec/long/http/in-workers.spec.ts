import { expect } from 'chai';
import { bootstrap, Module } from 'packet-ts';
import { createTestApp } from 'packet-ts/testing';
import { SharedWebWorker, WebPage, WebRoutes, WebTalk, WebWorker } from '../../fixtures/connections/web.worker.js';
import { atEnd, tcpClient, waitFor, webClient } from '../../kit/index.js';

@Module({ workers: [WebWorker] })
class DealtModule {}

@Module({ workers: [SharedWebWorker] })
class SharedModule {}

/** Asks with a connection of its own. */
async function post(port: number, body: string): Promise<string> {
  const client = await tcpClient(port);
  await client.send(`POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const all = await client.all();
  await client.destroy();
  return all.slice(all.indexOf('\r\n\r\n') + 4);
}

describe('http: and ws: inside workers', function () {
  for (const [how, module] of [
    ['dealt by the master', DealtModule],
    ['accepted by the processes', SharedModule],
  ] as const) {
    it(`share a port, ${how}, and are served in several processes`, async () => {
      const app = await bootstrap(module, { logger: false, signals: false });
      atEnd(() => app.close({ timeout: '3s' }));
      const page = app.address(WebPage);
      const talk = app.address(WebTalk);
      expect(talk.port).to.equal(page.port);
      expect(talk).to.include({ url: `ws://127.0.0.1:${page.port}/talk`, path: '/talk' });
      const clients = await Promise.all(Array.from({ length: 8 }, () => webClient(talk.url)));
      const pids = new Set<string>();
      for (const client of clients) {
        client.send('hello');
        const [pid, word] = String(await client.next()).split(' ');
        expect(word).to.equal('hello');
        pids.add(pid!);
      }
      expect(pids.has(String(process.pid))).to.equal(false);
      if (module === DealtModule) expect(pids.size).to.equal(2);
      const [pid, body] = (await post(page.port, 'body')).split(' ');
      expect(body).to.equal('body');
      expect(app.address(WebRoutes).port).to.equal(page.port);
      expect(await (await fetch(`${page.url}/routes/a`)).text()).to.match(/^\d+ a$/);
      expect(app.workers.status().map(row => String(row.pid))).to.include(pid);
      const closed = clients.map(client => client.closed);
      expect(await app.close()).to.include({ graceful: true });
      expect((await Promise.all(closed)).map(({ code }) => code)).to.deep.equal(Array(8).fill(1001));
    });
  }

  it('are restarted one after the other without a refused connection', async () => {
    const app = await bootstrap(DealtModule, { logger: false, signals: false });
    atEnd(() => app.close({ timeout: '3s' }));
    const { port } = app.address(WebPage);
    const first = new Set(app.workers.status().map(({ pid }) => pid));
    const restarted = app.workers.restart(WebWorker);
    let done = false;
    void restarted.then(() => (done = true));
    await waitFor(async () => (expect(await post(port, 'x')).to.match(/^\d+ x$/), done), { within: '20s' });
    expect(app.workers.status().some(({ pid, state }) => first.has(pid) && state === 'ready')).to.equal(false);
  });

  it('are served by an inline worker, too', async () => {
    const app = await createTestApp(DealtModule).start();
    atEnd(() => app.close({ timeout: '3s' }));
    const { port } = app.address(WebPage);
    expect(await (await fetch(`http://127.0.0.1:${port}/routes/a`)).text()).to.equal(`${process.pid} a`);
    expect(await post(port, 'inline')).to.equal(`${process.pid} inline`);
  });
});
