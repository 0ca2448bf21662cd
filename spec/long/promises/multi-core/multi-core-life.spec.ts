import { expect } from 'chai';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Module, spawn, UsageError, type App } from 'packet-ts';
import { EdgeConnection, EdgeHelper, EdgeWorker, LateEdgeWorker, SharedEdgeWorker } from '../../../fixtures/connections/edge.worker.js';
import {
  DatagramConnection,
  DatagramEdgeWorker,
  PausingConnection,
  PausingEdgeWorker,
} from '../../../fixtures/connections/limited-edge.worker.js';
import type { Ctor } from '../../../../src/decorators/ctor.js';
import { tcpClient, waitFor, type TcpClient } from '../../../kit/index.js';
import { ask, DealtModule, SharedModule, start } from '../../../promises/multi-core/edge-app.js';

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail('it was to fail'),
    (error: Error) => error,
  );
}

const connect = (app: App, cls: Ctor = EdgeConnection): Promise<TcpClient> => tcpClient(app.address(cls).port);
const pidsOf = (app: App, name = 'edge'): number[] => app.workers.status().flatMap(row => (row.name === name ? [row.pid!] : []));

describe('the life of connections inside workers, in each way to accept them', function () {
  for (const [mode, module] of [
    ['master', DealtModule],
    ['shared', SharedModule],
  ] as const) {
    describe(`accept: '${mode}'`, () => {
      it('closing says goodbye on each connection, with an answer of another worker, and finishes what runs', async () => {
        const app = await start(module);
        const clients = await Promise.all([1, 2, 3].map(() => connect(app)));
        expect(await Promise.all(clients.map(client => ask(client, 'shout hi')))).to.deep.equal(['HI', 'HI', 'HI']);
        await clients[0]!.send('shout slowly\n');
        await clients[1]!.send('wait 300\n');
        // What is handled when the end begins is answered; to see it begin is enough.
        await ask(clients[2]!, 'wait 50');
        const closing = app.close({ timeout: '10s' });
        const said = await Promise.all(
          clients.map(async client => {
            const all = await client.all({ within: '5s' });
            client.end();
            return all.trimEnd().split('\n').sort();
          }),
        );
        // What is being handled and the goodbye do not wait for each other.
        expect(said).to.deep.equal([['CLOSING', 'SLOWLY'], ['CLOSING', 'waited'], ['CLOSING']]);
        expect(await closing).to.deep.equal({ graceful: true, connections: 0, calls: 0, workers: 0 });
      });

      it('nobody listens from the first step of closing on', async () => {
        const app = await start(module);
        const client = await connect(app);
        const { port } = app.address(EdgeConnection);
        await client.send('wait 500\n');
        await ask(await connect(app), 'pid');
        const closing = app.close();
        // One that the system has connected just as the listener closes is reset: the next one finds nobody.
        const error = await waitFor(() =>
          tcpClient(port).then(
            () => undefined,
            ({ code }: NodeJS.ErrnoException) => (code === 'ECONNRESET' ? undefined : code),
          ),
        );
        expect(error).to.equal('ECONNREFUSED');
        expect(await client.line()).to.match(/waited|CLOSING/);
        client.end();
        await closing;
      });

      it('a rolling restart leaves open connections alone until drainTimeout; new ones come to the replacement', async () => {
        const app = await start(module);
        const client = await connect(app);
        const old = await ask(client, 'pid');
        const restarted = app.workers.restart(mode === 'master' ? EdgeWorker : SharedEdgeWorker);
        await waitFor(async () => {
          const another = await connect(app);
          const pid = await ask(another, 'pid');
          await another.destroy();
          return pid !== old;
        });
        expect(await ask(client, 'still')).to.equal(`${old} still`);
        // Nobody ends it: drainTimeout does, with a goodbye.
        expect(await client.all({ within: '10s' })).to.equal('CLOSING\n');
        client.end();
        await restarted;
        expect(pidsOf(app, mode === 'master' ? 'edge' : 'shared_edge')).not.to.include(Number(old));
      });
    });
  }

  it('a process with connections is not idle; without them the pool shrinks again', async () => {
    const app = await start(DealtModule);
    const clients = await Promise.all([1, 2, 3, 4].map(() => connect(app)));
    await Promise.all(clients.map(client => ask(client, 'pid')));
    await waitFor(() => pidsOf(app).length === 2, { within: '5s' });
    const [stays, ...go] = clients;
    const pid = await ask(stays!, 'pid');
    await Promise.all(go.map(client => client.destroy()));
    await waitFor(() => pidsOf(app).length === 1, { within: '5s' });
    expect(pidsOf(app)).to.deep.equal([Number(pid)]);
    expect(await ask(stays!, 'pid')).to.equal(pid);
    await stays!.destroy();
  });

  it("whenFull: 'pause' stops listening in the master when all processes together are full", async () => {
    @Module({ workers: [PausingEdgeWorker] })
    class Pausing {}
    const app = await start(Pausing);
    const inside = await Promise.all([1, 2].map(() => connect(app, PausingConnection)));
    await Promise.all(inside.map(client => ask(client, 'pid')));
    const refused = await waitFor(() =>
      connect(app, PausingConnection).then(
        () => undefined,
        (error: NodeJS.ErrnoException) => error.code,
      ),
    );
    expect(refused).to.equal('ECONNREFUSED');
    await inside[0]!.destroy();
    const client = await waitFor(() => connect(app, PausingConnection));
    expect(await ask(client, 'pid')).to.match(/^\d+$/);
    await client.destroy();
  });

  it('a worker that is started later listens from then on, until it is stopped', async () => {
    @Module({ workers: [LateEdgeWorker, EdgeHelper] })
    class Late {}
    const app = await start(Late);
    expect(() => app.address(EdgeConnection)).to.throw(UsageError, 'does not listen');
    const handle = await app.workers.start(LateEdgeWorker);
    const { port } = app.address(EdgeConnection);
    const client = await tcpClient(port);
    expect(await ask(client, 'pid')).to.match(/^\d+$/);
    client.end();
    await app.workers.stop(handle);
    expect(await failure(tcpClient(port))).to.include({ code: 'ECONNREFUSED' });
    expect(() => app.address(EdgeConnection)).to.throw(UsageError, 'does not listen');
  });

  it('a worker that binds its port itself lets go of it before its replacement takes it', async () => {
    @Module({ workers: [DatagramEdgeWorker] })
    class Datagrams {}
    const free = createSocket('udp4').bind(0, '127.0.0.1');
    await once(free, 'listening');
    const url = `udp://127.0.0.1:${free.address().port}` as const;
    free.close();
    const app = await start(Datagrams, { listen: new Map([[DatagramConnection, url]]) });
    const [before] = pidsOf(app, 'datagram_edge');
    await app.workers.restart(DatagramEdgeWorker);
    expect(pidsOf(app, 'datagram_edge')).to.have.length(1).and.not.to.include(before);
    expect(app.addresses(DatagramConnection).map(address => address.url)).to.deep.equal([url]);
  });

  it('clients that come half-closed or leave with a reset on the way hurt nobody', async () => {
    const app = await start(DealtModule);
    const before = await connect(app);
    await ask(before, 'pid');
    await before.send('burn 100\n');
    for (let i = 0; i < 20; i++) {
      const client = await connect(app);
      if (i % 2 === 0) client.reset();
      else client.end('pid\n');
      if (i % 2 === 1) expect(await client.all({ within: '5s' })).to.match(/^\d+\n$/);
    }
    expect(await before.line()).to.equal('burnt');
    await waitFor(async () => (await ask(before, 'count')) === '1');
    await before.destroy();
  });

  it('without an application too: a worker with connections listens as long as it is there', async () => {
    const edge = await spawn(EdgeWorker, { logger: false, runtime: 'inline' });
    expect(await edge.pid()).to.equal(process.pid);
    await edge.close();
  });
});
