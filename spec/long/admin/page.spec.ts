import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { App } from 'packet-ts';
import { Browser, type BrowserPage } from '../../kit/clients/browser.js';
import { needsProgram, tcpClient, waitFor, type TcpClient } from '../../kit/index.js';
import { adminApp, Counter } from '../../admin/support/admin-app.js';

/** Where pictures go, for whoever wants to look at them: PACKET_SCREENSHOTS=folder. */
const PICTURES = process.env['PACKET_SCREENSHOTS'];

const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
] as const;

function text(page: BrowserPage, selector: string): Promise<string> {
  return page.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`) as Promise<string>;
}

async function live(page: BrowserPage): Promise<void> {
  await waitFor(async () => (await page.evaluate('document.body.dataset.state')) === 'open', {
    within: '10s',
    what: 'the page to connect',
  });
  await waitFor(async () => (await text(page, '#pools')).includes('desk'), { within: '10s', what: 'the pool on the page' });
}

/** Presses the button of a question that the page asks. */
async function agree(page: BrowserPage): Promise<void> {
  await waitFor(() => page.evaluate('document.querySelector("#ask").open'), { what: 'the question' });
  await page.click('#ask-yes');
}

async function peers(app: App, lines: readonly string[]): Promise<TcpClient[]> {
  return Promise.all(
    lines.map(async line => {
      const peer = await tcpClient(app.address(Counter).port);
      await peer.send(`${line}\n`);
      return peer;
    }),
  );
}

describe('the page in Chromium', function () {
  this.timeout(120_000);
  if (!needsProgram('chromium')) return;

  it('shows what runs, on a desk and on a phone, in light and dark, without anything wider than the screen', async () => {
    const app = await adminApp();
    const [asker] = (await peers(app, ['hello', 'pid', 'wait', 'crash', 'fail', 'hello'])) as [TcpClient];
    const page = await Browser.start().open(app.admin!.url);
    for (const size of SIZES) {
      for (const dark of [false, true]) {
        await page.appear({ ...size, dark });
        await live(page);
        await waitFor(async () => (await text(page, '#calls')).includes('wait'), { within: '10s', what: 'the call' });
        await waitFor(async () => (await text(page, '#exits')).includes('the last words of a process'), { within: '10s' });
        expect(await text(page, '#overview')).to.match(/connections\s+6/);
        await asker.send('pid\n'.repeat(50));
        await waitFor(async () => /p50 ≤ [\d.]+ m?s, p99 ≤/.test(await text(page, '#pools')), {
          within: '10s',
          what: 'the times of calls',
        });
        expect(await page.evaluate('document.querySelectorAll("#pools .bars rect").length')).to.be.greaterThan(10);
        expect(await text(page, '#overview')).to.include(app.address(Counter).url);
        expect(await page.evaluate('document.documentElement.scrollWidth')).to.be.at.most(size.width);
        const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
        expect(background).to.equal(dark ? 'rgb(14, 17, 22)' : 'rgb(255, 255, 255)');
        if (PICTURES === undefined) continue;
        mkdirSync(PICTURES, { recursive: true });
        writeFileSync(join(PICTURES, `admin-${size.width}-${dark ? 'dark' : 'light'}.png`), await page.screenshot());
      }
    }
    // Who may only look sees no buttons that act.
    expect(await page.evaluate('[...document.querySelectorAll(".act")].filter(node => node.offsetParent !== null).length')).to.equal(0);
    expect(await text(page, '#state')).to.equal('live, read-only');
  });

  it('asks nothing of another host, and no rule of its policy is broken', async () => {
    const app = await adminApp();
    const page = await Browser.start().open(app.admin!.url);
    await live(page);
    const hosts = await page.evaluate('[...new Set(performance.getEntriesByType("resource").map(({ name }) => new URL(name).origin))]');
    expect(hosts).to.deep.equal([new URL(app.admin!.url).origin]);
    const broken = await page.evaluate(`new Promise(done => {
      addEventListener('securitypolicyviolation', ({ violatedDirective }) => done(violatedDirective));
      const script = document.createElement('script');
      script.textContent = 'document.title = "hacked"';
      document.head.append(script);
    })`);
    expect(broken).to.include('script-src');
    expect(await page.evaluate('document.title')).to.match(/^packet-ts pid/);
  });

  for (const size of SIZES) {
    it(`does what is clicked at ${size.width} pixels: each action, after a question where something is lost`, async () => {
      const app = await adminApp({ authorize: () => 'operate' });
      const [peer] = (await peers(app, ['hello'])) as [TcpClient];
      const page = await Browser.start().open(app.admin!.url);
      await page.appear(size);
      await live(page);
      const pids = (): (number | undefined)[] => app.workers.status().map(({ pid }) => pid);
      const steady = (count: number): Promise<unknown> =>
        waitFor(() => app.workers.status().filter(({ state }) => state === 'ready').length === count && pids().length === count, {
          within: '20s',
          what: `${count} processes`,
        });

      await page.click('[aria-label="Pause desk"]');
      await waitFor(async () => (await text(page, '#pools')).includes('paused'), { within: '5s' });
      await page.click('[aria-label="Resume desk"]');
      await waitFor(async () => !(await text(page, '#pools')).includes('paused'), { within: '5s' });

      let before = pids();
      await page.click('[aria-label="Restart desk"]');
      await waitFor(() => !pids().some(pid => before.includes(pid)), { within: '20s' });
      await steady(2);

      await page.click('[aria-label="Scale desk"]');
      await waitFor(() => page.evaluate('document.activeElement.name === "min"'), { what: 'the field' });
      await page.evaluate('document.querySelector("#ask [name=min]").value = "3"');
      await page.evaluate('document.querySelector("#ask [name=max]").value = "4"');
      await agree(page);
      await steady(3);

      /** The button of the first process that lives, once its row is there. */
      const button = async (label: string): Promise<string> => {
        const [pid] = pids();
        const row = `[...document.querySelectorAll('#processes tbody tr')].find(row => row.cells[0].textContent === '${pid}')`;
        const name = await waitFor(() => page.evaluate(`${row}?.dataset.name`), { within: '5s', what: `the row of ${pid}` });
        return `[data-name="${String(name)}"] [aria-label^="${label}"]`;
      };
      before = pids();
      await page.click(await button('Restart'));
      await waitFor(() => before.some(pid => !pids().includes(pid)), { within: '20s', what: 'the restarted process' });
      await steady(3);
      before = pids();
      await page.click(await button('Kill'));
      await page.click('#ask-no');
      await page.click(await button('Kill'));
      await agree(page);
      await waitFor(() => before.some(pid => !pids().includes(pid)), { within: '20s', what: 'the killed process' });
      await waitFor(async () => (await text(page, '#exits')).includes('SIGKILL'), {
        within: '10s',
        what: 'the killed process on the page',
      });

      await page.click('[aria-label^="Disconnect"]');
      await agree(page);
      expect(await peer.all({ within: '5s' })).to.equal('hello\n');
      await waitFor(async () => (await text(page, '#closed')).includes('ADMIN'), { within: '5s' });
      await waitFor(async () => (await text(page, '#notice')).includes('disconnect: done'), { within: '5s' });
    });
  }

  it('is used with the keyboard alone: a question takes the focus, Escape is no, Enter is yes', async () => {
    const app = await adminApp({ authorize: () => 'operate' });
    const page = await Browser.start().open(app.admin!.url);
    await live(page);
    await page.press('Tab');
    expect(await page.evaluate('document.activeElement.className')).to.equal('skip');
    await page.evaluate(`document.querySelector('[aria-label="Scale desk"]').focus()`);
    await page.press('Enter');
    await waitFor(() => page.evaluate('document.activeElement.name === "min"'), { what: 'the field' });
    await page.press('Escape');
    await waitFor(async () => !(await page.evaluate('document.querySelector("#ask").open')), { what: 'the question to go' });
    expect(await page.evaluate('document.activeElement.getAttribute("aria-label")')).to.equal('Scale desk');
    await page.press('Enter');
    await waitFor(() => page.evaluate('document.activeElement.name === "min"'), { what: 'the field again' });
    await page.evaluate('document.activeElement.value = "1"');
    await page.press('Enter');
    await waitFor(async () => (await text(page, '#notice')).includes('scale: done'), { within: '5s' });
    await waitFor(async () => (await text(page, '#pools')).includes('(1–3)'), { within: '5s' });
    // Every button and field has a name.
    const nameless = await page.evaluate(
      `[...document.querySelectorAll('button, input, select')].filter(node => node.offsetParent !== null && !node.textContent.trim() && !node.getAttribute('aria-label') && !node.labels?.length).length`,
    );
    expect(nameless).to.equal(0);
  });

  it('filters connections, turns pages and keeps the focus while it is updated', async () => {
    const app = await adminApp();
    await peers(
      app,
      Array.from({ length: 55 }, () => 'hello'),
    );
    const page = await Browser.start().open(app.admin!.url);
    await live(page);
    await waitFor(async () => (await text(page, '#connections .pages, #connections .bar')).includes('1 of 2'), { within: '10s' });
    await page.click('[aria-label="Connections: next page"]');
    await waitFor(async () => (await text(page, '#connections .bar')).includes('2 of 2'), { within: '10s' });
    await page.click('#connections input');
    await page.type('counter tcp://127.0.0.1:');
    await waitFor(async () => (await text(page, '#connections .bar')).includes('55 match'), { within: '10s' });
    await page.type('nowhere');
    await waitFor(async () => (await text(page, '#connections .bar')).includes('0 match'), { within: '10s' });
    expect(await page.evaluate('document.activeElement.type')).to.equal('search');
  });

  it('comes back when the application does', async () => {
    const app = await adminApp();
    const { port, url } = app.admin!;
    const page = await Browser.start().open(url);
    await live(page);
    await app.close();
    await waitFor(async () => (await page.evaluate('document.body.dataset.state')) === 'lost', { within: '10s' });
    await adminApp({ listen: `http://127.0.0.1:${port}` });
    await waitFor(async () => (await page.evaluate('document.body.dataset.state')) === 'open', { within: '20s' });
    await live(page);
  });

  it('tells nothing to a page of another origin, which can neither read it nor act', async () => {
    const app = await adminApp();
    const { url } = app.admin!;
    const elsewhere = await adminApp();
    const page = await Browser.start().open(elsewhere.admin!.url.replace('127.0.0.1', 'localhost'));
    // Its own policy would stop it before: what counts here is what the other side lets in.
    const blank = await Browser.start().open('data:text/html,<title>elsewhere</title>');
    for (const stranger of [page, blank]) {
      const read = await stranger.evaluate(`fetch('${url}').then(answer => answer.text(), () => 'nothing')`);
      expect(read).to.equal('nothing');
      const opened = await stranger.evaluate(`new Promise(done => {
        const socket = new WebSocket('${url.replace('http', 'ws').replace(/\/$/, '')}/feed');
        socket.onopen = () => done('open');
        socket.onerror = () => done('refused');
      }).catch(() => 'refused')`);
      expect(opened).to.equal('refused');
      const framed = await stranger.evaluate(`new Promise(done => {
        const frame = document.createElement('iframe');
        frame.src = '${url}';
        frame.onload = () => { let title; try { title = frame.contentDocument?.title; } catch { title = undefined; } done(title ?? 'nothing'); };
        document.body.append(frame);
      })`);
      expect(framed).to.not.match(/packet-ts/);
    }
  });
});
