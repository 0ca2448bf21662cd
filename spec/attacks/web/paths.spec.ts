import { Agent, request as ask, type IncomingMessage } from 'node:http';
import { posix } from 'node:path';
import { expect } from 'chai';
import express from 'express';
import fc from 'fast-check';
import { Hono } from 'hono';
import { bootstrap, Connection, Module } from 'packet-ts';
import { mount, OnRequest } from 'packet-ts/http';
import { Events } from '../../kit/events.js';
import { atEnd, tcpClient } from '../../kit/index.js';

/** Paths that this handler or the next layer behind it may take a path for. */
function meanings(path: string): readonly string[] {
  const decoded = (text: string): string => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  return [path, decoded(path)].map(text => posix.normalize(text.replaceAll('\\', '/')));
}

describe('an address rule for a path', () => {
  /** Four endpoints on one port, of which `/admin` may not be asked from here. Each answers with the path that it sees. */
  async function start() {
    class Any {
      @OnRequest() get({ url }: Request) {
        return new Response(new URL(url).pathname);
      }
    }
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Public extends Any {}
    @Connection({ listen: { url: 'http://127.0.0.1:0/admin', deny: ['127.0.0.0/8'] } })
    class Admin extends Any {}
    const hono = mount(
      new Hono().all('*', c => c.text(c.req.path)),
      { listen: 'http://127.0.0.1:0/open' },
    );
    const web = express().use((request, response) => void response.send(request.path));
    const listener = mount(web, { listen: 'http://127.0.0.1:0/express' });
    @Module({ connections: [Public, Admin, hono, listener] })
    class AppModule {}
    const app = await bootstrap(AppModule, { logger: false, signals: false });
    atEnd(() => app.close({ timeout: 1 }));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    atEnd(() => agent.destroy());
    const { port } = app.address(Public);
    const get = (path: string): Promise<{ status: number; text: string }> =>
      new Promise((resolve, reject) => {
        const asking = ask({ port, host: '127.0.0.1', path, agent }, (answer: IncomingMessage) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          answer.on('end', () => resolve({ status: answer.statusCode!, text }));
        });
        asking.on('error', reject).end();
      });
    return { port, get };
  }

  it('is not got round by another spelling of the path', async () => {
    const { get } = await start();
    const spellings = [
      '/admin',
      '/./admin/x',
      '/y/%2e%2e/admin/x',
      '/y\\..\\admin/x',
      '/%61dmin',
      '/open/../admin/x',
      '/express/%2E%2e/admin',
    ];
    for (const path of spellings) expect((await get(path)).status, path).to.equal(403);
    for (const path of ['//admin/x', '/admin%2fx', '/open/..%2fadmin', '/open%5c..%5cadmin', '/%', '/a#b'])
      expect((await get(path)).status, path).to.equal(400);
    for (const [path, seen] of [
      ['/x/../y', '/y'],
      ['/open/a%2fb', '/open/a%2fb'],
      ['/express/../express/./z', '/express/z'],
    ] as const)
      expect(await get(path), path).to.deep.equal({ status: 200, text: seen });
  });

  it('is not got round by any mixture of spellings', async function () {
    const { get } = await start();
    const segment = fc.constantFrom(
      'admin',
      '%61dmin',
      'adm%69n',
      'open',
      'express',
      'x',
      '..',
      '.',
      '%2e%2e',
      '.%2E',
      '',
      '..;',
      '%252e%252e',
    );
    const separator = fc.constantFrom('/', '/', '\\', '%2f', '%5C', '//');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(separator, segment), { minLength: 1, maxLength: 6 }), async parts => {
        const path = `/${parts.flat().join('').replace(/^\//, '')}`;
        const { status, text } = await get(path);
        if (status !== 200) return;
        for (const meaning of meanings(text)) expect(meaning, path).to.not.match(/^\/admin(?:\/|$)/);
      }),
      { numRuns: 400 },
    );
  });

  it('has one Host, and neither another host nor credentials in the target; nothing of them is logged', async () => {
    using errors = new Events('connection.error');
    const { port } = await start();
    for (const head of [
      'GET / HTTP/1.1\r\nHost: a\r\nHost: b',
      'GET / HTTP/1.1\r\nHost: a\r\nhost: a',
      'GET ftp://a/ HTTP/1.1\r\nHost: a',
      'GET http://user:hunter2@a/ HTTP/1.1\r\nHost: a',
      'GET http://b/ HTTP/1.1\r\nHost: a',
      'GET / HTTP/1.1\r\nHost: user:hunter2@a',
      'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: Upgrade\r\nUpgrade: websocket',
    ]) {
      const client = await tcpClient(port);
      await client.send(`${head}\r\n\r\n`);
      const answer = await client.all();
      expect(answer, head).to.match(/^HTTP\/1.1 400 /);
      expect(answer).to.not.contain('hunter2');
    }
    expect(errors.seen).to.deep.equal([]);
  });
});
