import { expect } from 'chai';
import { bootstrap, ListenError, serveWorkers } from 'packet-ts';
import { memoryMesh } from 'packet-ts/testing';
import { listenersOf } from '../../../../scripts/structure/listeners.js';
import { readSources } from '../../../../scripts/structure/read-sources.js';
import { EdgeConnection } from '../../../fixtures/connections/edge.worker.js';
import { soon, tcpClient } from '../../../kit/index.js';
import { Caller, CallsModule } from '../../../mesh/support/module.js';
import { DealtModule, SharedModule } from '../../../promises/multi-core/edge-app.js';
import { Scene } from '../../../promises/pool/scene.js';
import { noteEvents, throwIntoEach } from '../../../attacks/support/injected-faults.js';

const QUIET = { logger: false, signals: false } as const;

/** Calls, prints, and ends; each of it may fail, and none of it may hang. */
async function worked(where: 'process' | 'thread' | 'inline'): Promise<void> {
  const scene = await Scene.open({ where, timeout: '5s', startTimeout: '5s' });
  const { client } = scene;
  // Inline it would print here.
  const said = where === 'inline' ? client.pid() : client.shout({ text: 'x', exit: false });
  const calls = [client.echo('x'), said, client.echo('y')];
  await soon(Promise.allSettled(calls), { within: '20s', what: 'calls to settle' });
  await soon(scene.close(), { within: '20s', what: 'the application to close' });
}

/** A connection to a worker's endpoint. */
async function connected(module: typeof DealtModule): Promise<void> {
  const app = await soon(
    bootstrap(module, QUIET).catch((error: unknown) => void expect(error).to.be.instanceOf(ListenError)),
    { within: '20s', what: 'the application to start or to fail' },
  );
  if (!app) return;
  const client = await tcpClient(app.address(EdgeConnection).port);
  await client.send('pid\n').catch(() => {});
  await client.line({ within: '5s' }).catch(() => {});
  await client.destroy();
  await soon(app.close({ timeout: '2s' }), { within: '20s', what: 'the application to close' });
}

/** A call over a mesh. */
async function called(): Promise<void> {
  const mesh = memoryMesh();
  const host = await serveWorkers(CallsModule, { mesh, workers: ['mesh_calls'], name: 'host-1', ...QUIET });
  const app = await bootstrap(CallsModule, { mesh, placement: { mesh_calls: 'remote' }, ...QUIET });
  await soon(Promise.allSettled([app.get(Caller).calls.echo('x', { timeout: '5s' })]), { within: '20s', what: 'a call to settle' });
  for (const closing of [() => app.close({ timeout: '2s' }), () => host.close()])
    await soon<unknown>(closing(), { within: '20s', what: 'an application to close' });
}

const LIVES: Readonly<Record<string, () => Promise<void>>> = {
  'a process': () => worked('process'),
  'a thread': () => worked('thread'),
  'an inline worker': () => worked('inline'),
  'connections dealt to a worker': () => connected(DealtModule),
  'connections accepted by a worker': () => connected(SharedModule),
  'a host of the mesh': called,
};

describe('a listener of a worker’s process, thread or link that throws', function () {
  this.timeout(300_000);
  this.slow(60_000);

  let restore: () => void;
  before(() => void (restore = noteEvents()));
  after(() => restore());

  /** Events of what a master listens to, by the source. */
  const inSource = new Set(
    [...readSources()]
      .filter(([file]) => /^src\/(?:hosts|wire)\//.test(file))
      .flatMap(([, text]) => listenersOf(text).map(({ event }) => event)),
  );

  it('hurts that worker alone, for every event that is listened to', async () => {
    const other = await Scene.open({ where: 'process' });
    const seen = new Set<string>();
    for (const [name, live] of Object.entries(LIVES)) {
      const events = await throwIntoEach(name, live, async what => {
        expect(await other.client.echo(what)).to.equal(what);
      });
      for (const event of events) seen.add(event);
    }
    expect([...inSource].filter(event => !seen.has(event))).to.deep.equal([]);
  });
});
