import { expect } from 'chai';
import { z } from 'zod';
import {
  bootstrap,
  Connection,
  ConfigurationError,
  InjectWorker,
  Module,
  serveWorkers,
  Task,
  Worker,
  WorkerUnavailableError,
  type App,
  type Placements,
  type WorkerClient,
} from '../../src/index.js';
import { memoryMesh, type MemoryMesh } from '../../src/testing/index.js';
import { atEnd, waitFor } from '../kit/index.js';
import { rejection } from '../workers/support/rig.js';
import { CallsWorker } from './support/calls.worker.js';
import { Caller, CallsModule } from './support/module.js';
import * as NewRelease from './support/release-new.worker.js';
import { ReleaseModule as OldModule } from './support/release-old.worker.js';

const quiet = { logger: false, signals: false } as const;

@Worker('mesh_alone', { waitForHost: 0, timeout: '5s', minWorkers: 0 })
class AloneWorker {
  @Task({ output: z.string() })
  run(): string {
    return 'done';
  }
}

class AloneCaller {
  constructor(@InjectWorker(AloneWorker) readonly alone: WorkerClient<AloneWorker>) {}
}

@Module({ workers: [AloneWorker], providers: [AloneCaller] })
class AloneModule {}

@Connection({ listen: 'memory:mesh-edge' })
class EdgeConnection {}

@Worker('mesh_edge', { connections: [EdgeConnection], timeout: '1s' })
class EdgeWorker {}

@Module({ workers: [EdgeWorker, AloneWorker] })
class EdgeModule {}

async function caller(mesh: MemoryMesh, placement: Placements): Promise<{ app: App; calls: Caller['calls'] }> {
  const app = await bootstrap(CallsModule, { mesh, placement, ...quiet });
  atEnd(() => app.close({ timeout: 100 }));
  return { app, calls: app.get(Caller).calls };
}

async function serving(mesh: MemoryMesh, name: string): Promise<void> {
  const host = await serveWorkers(CallsModule, { mesh, workers: ['mesh_calls'], name, ...quiet });
  atEnd(() => host.close());
}

describe('the placement of workers', function () {
  this.timeout(90_000);

  it('runs calls here while a process is free, and on other machines beyond', async () => {
    const mesh = memoryMesh();
    await serving(mesh, 'host-1');
    const { app, calls } = await caller(mesh, { mesh_calls: 'spill' });
    const local = new Set(app.workers.status().flatMap(({ name, host, pid }) => (name === 'mesh_calls' && host === 'local' ? [pid] : [])));
    expect(local.size).to.equal(1);
    for (let i = 0; i < 5; i++) expect(local).to.include(await calls.pid());
    await waitFor(() => app.workers.status().some(({ host, state, pid }) => host === 'host-1' && state === 'ready' && pid), {
      what: 'the host to be linked',
    });
    await Promise.all([300, 300, 300, 300].map(ms => calls.slow(ms)));
    const doneThere = (): number => app.workers.status().reduce((sum, { host, done }) => (host === 'host-1' ? sum + done : sum), 0);
    await waitFor(() => doneThere() > 0, { what: 'the host to tell that it has done some' });
  });

  it('tells what cannot run on another machine, all of it at once, at bootstrap', async () => {
    const error = await rejection(
      bootstrap(EdgeModule, {
        mesh: memoryMesh(),
        placement: { mesh_edge: 'remote', mesh_alone: 'far' as never, other: 'local' },
        ...quiet,
      }),
    );
    expect(error).to.be.instanceOf(ConfigurationError);
    const told = (error['mistakes'] as { wrong: string }[]).map(({ wrong }) => wrong).join('\n');
    expect(told).to.include('it has connections of its own');
    expect(told).to.include(`'mesh_alone' is placed "far"`);
    expect(told).to.include(`'other' is no worker`);
    expect((await rejection(bootstrap(AloneModule, { placement: { '*': 'remote' }, ...quiet }))).message).to.include('there is no mesh');
  });

  it('refuses calls at once where no host serves a worker and they may not wait', async () => {
    const app = await bootstrap(AloneModule, { mesh: memoryMesh(), placement: { '*': 'remote' }, ...quiet });
    atEnd(() => app.close());
    expect(await rejection(app.get(AloneCaller).alone.run())).to.be.instanceOf(WorkerUnavailableError);
  });

  it('names the difference where hosts have other tasks or schemas', async () => {
    const mesh = memoryMesh();
    const host = await serveWorkers(OldModule, { mesh, workers: ['mesh_release'], name: 'old-host', ...quiet });
    atEnd(() => host.close());
    const app = await bootstrap(NewRelease.ReleaseModule, { mesh, placement: { '*': 'remote' }, ...quiet });
    atEnd(() => app.close());
    const error = await rejection(app.get(NewRelease.ReleaseCaller).client.run('x'));
    expect(error).to.be.instanceOf(WorkerUnavailableError);
    expect(error.message).to.include('old-host').and.to.include(`its task 'run' has another schema for input`);
  });

  it('refuses to serve what is no worker of the module', async () => {
    const error = await rejection(serveWorkers(CallsModule, { mesh: memoryMesh(), workers: ['mesh_cals'], ...quiet }));
    expect(error).to.be.instanceOf(ConfigurationError);
    expect(error.message).to.include(`'mesh_cals' is no worker of the module`);
  });

  it('keeps eight links and no more while hosts come and go', async () => {
    const mesh = memoryMesh();
    const app = await bootstrap(AloneModule, { mesh, placement: { '*': 'remote' }, ...quiet });
    atEnd(() => app.close());
    const linked = (): string[] =>
      app.workers.status().flatMap(({ host, state }) => (host !== undefined && state === 'ready' ? [host] : []));
    const hosts = new Map<string, Awaited<ReturnType<typeof serveWorkers>>>();
    for (let i = 0; i < 20; i++) {
      const host = await serveWorkers(AloneModule, { mesh, workers: ['mesh_alone'], name: `host-${i}`, ...quiet });
      hosts.set(host.name, host);
      atEnd(() => host.close());
      await waitFor(() => linked().length === Math.min(i + 1, 8), { what: `links after host ${i}` });
    }
    const gone = linked().slice(0, 4);
    for (const name of gone) await hosts.get(name)!.close();
    await waitFor(() => linked().length === 8 && !linked().some(name => gone.includes(name)), { what: 'other links' });
  });

  it('moves a key to another host when its own is gone', async () => {
    const mesh = memoryMesh();
    const hosts = await Promise.all(['a', 'b'].map(name => serveWorkers(CallsModule, { mesh, workers: ['mesh_calls'], name, ...quiet })));
    for (const host of hosts) atEnd(() => host.close());
    const { app, calls } = await caller(mesh, { mesh_calls: 'remote' });
    await app.workers.start(CallsWorker, { key: 'gold' });
    await calls.pid(undefined, { key: 'gold' });
    const owner = app.workers.status().find(({ key }) => key === 'gold')!.host;
    await hosts.find(({ name }) => name === owner)!.close();
    expect(await calls.echo('moved', { key: 'gold' })).to.equal('moved');
    expect(app.workers.status().find(({ key }) => key === 'gold')!.host).to.not.equal(owner);
  });
});
