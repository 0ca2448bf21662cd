import { expect } from 'chai';
import type { App } from 'packet-ts';
import { tcpClient, waitFor, type TcpClient } from '../../kit/index.js';
import { ask, DealtModule, SharedModule, start } from './edge-app.js';
import { EdgeConnection } from '../../fixtures/connections/edge.worker.js';

const clientsOf = (app: App, count: number): Promise<TcpClient[]> =>
  Promise.all(Array.from({ length: count }, () => tcpClient(app.address(EdgeConnection).port)));

describe('connections inside workers', function () {
  describe("accept: 'master'", () => {
    it('are served in processes of their own, each in the one with fewest', async () => {
      const app = await start(DealtModule);
      const clients = await clientsOf(app, 2);
      // The second connection wants a process of its own.
      await waitFor(() => app.workers.status().filter(({ name, state }) => name === 'edge' && state === 'ready').length === 2, {
        within: '10s',
      });
      clients.push(...(await clientsOf(app, 8)));
      const pids = await Promise.all(clients.map(client => ask(client, 'pid')));
      expect([...new Set(pids)].map(pid => pids.filter(other => other === pid).length)).to.deep.equal([5, 5]);
      expect(pids).not.to.include(String(process.pid));
      expect(await ask(clients[0]!, 'count')).to.equal('5');
      expect(await ask(clients[0]!, 'shout hello')).to.equal('HELLO');
      const { url } = app.address(EdgeConnection);
      expect(app.describe())
        .to.include(`├─ EdgeConnection on ${url}\n`)
        .and.to.match(/pid \d+ ready: 0 running, 0 done, 0 failed, 5 connections/);
      await Promise.all(clients.map(client => client.destroy()));
    });
  });

  describe("accept: 'shared'", () => {
    it('are accepted by the processes themselves', async () => {
      const app = await start(SharedModule);
      const clients = await clientsOf(app, 8);
      const pids = new Set(await Promise.all(clients.map(client => ask(client, 'pid'))));
      const workers = app.workers.status().map(({ pid }) => String(pid));
      expect([...pids].every(pid => workers.includes(pid))).to.equal(true);
      await Promise.all(clients.map(client => client.destroy()));
      await waitFor(() => app.workers.status().length >= 2);
    });
  });
});
