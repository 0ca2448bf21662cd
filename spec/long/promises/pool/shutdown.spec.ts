import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { bootstrap, ClosingError, Logger, Module, spawn, WorkerNotFoundError } from 'packet-ts';
import { CaseWorker } from '../../../fixtures/workers/case.worker.js';
import { processesOf, soon, spawnProgram, spawnScript, tcpClient, waitFor } from '../../../kit/index.js';
import { failure, Scene } from '../../../promises/pool/scene.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'exit', 'uncaughtException', 'unhandledRejection', 'beforeExit'];
const listeners = (): number[] => SIGNALS.map(signal => process.listenerCount(signal));

/** Keeps the lines that workers print. */
class Lines extends Logger {
  readonly seen: { readonly worker?: string; readonly workerPid?: number; readonly line?: string; readonly stream?: string }[] = [];
  override info(object: unknown): void {
    this.seen.push(object as Lines['seen'][number]);
  }
  override warn(object: unknown): void {
    this.seen.push(object as Lines['seen'][number]);
  }
}

function isAlive(pid: number): boolean {
  return processesOf(process.pid).some(each => each.pid === pid && each.state !== 'Z');
}

describe('shutdown and process hygiene', function () {
  it('40. `close()` with ≥2 busy workers of different speed waits for started + queued; `closeTimeout` then kill; calls after close reject', async () => {
    const scene = await Scene.open({ minWorkers: 2, maxWorkers: 2, prefetch: 0 });
    const calls = [
      scene.note('slow', { spin: 600 }),
      scene.note('quick', { spin: 20 }),
      ...[1, 2, 3].map(i => scene.note(i, { spin: 10 })),
    ];
    const summary = await scene.app.close({ timeout: '10s' });
    expect(summary).to.deep.equal({ graceful: true, connections: 0, calls: 0, workers: 0 });
    // All have their answers already when close() resolves.
    const late = Promise.resolve('late');
    for (const call of calls) expect(await Promise.race([call, late])).to.be.a('number');
    expect([...scene.journal].sort()).to.deep.equal(['1', '2', '3', 'quick', 'slow']);
    expect(await failure(scene.client.echo('after'))).to.be.instanceOf(ClosingError);

    const stubborn = await Scene.open();
    const looping = await stubborn.begun('loop');
    const cut = failure(looping.call);
    const { graceful, calls: lost, workers } = await stubborn.app.close({ timeout: '300ms' });
    expect({ graceful, lost, workers }).to.deep.equal({ graceful: false, lost: 1, workers: 1 });
    expect(await cut).to.include({ name: 'WorkerCrashedError', reason: 'stop' });
    expect(isAlive(looping.pid)).to.equal(false);
  });

  it('41. stop during start-up, during recycle, twice, concurrently with a crash', async () => {
    // `stop` and `start` cross in every phase; each must settle, and nothing may be left.
    const scene = await Scene.open({ autoLoad: false, minWorkers: 2, maxWorkers: 2, maxTasksPerWorker: 2 });
    const { workers, worker } = scene;
    const starting = workers.start(worker);
    const early = starting.catch((error: unknown) => error);
    const handle = await waitFor(() => workers.get(worker));
    expect(handle.state).to.equal('starting');
    await workers.stop(handle);
    await early;
    expect(workers.list()).to.deep.equal([]);

    const second = await workers.start(worker);
    const recycled = Promise.allSettled([1, 2, 3, 4].map(i => scene.note(i)));
    const restart = workers.restart(worker).catch((error: unknown) => error);
    await soon(Promise.all([workers.stop(second), workers.stop(second)]), { within: '10s' });
    await soon(restart, { within: '5s' });
    for (const result of await recycled) if (result.status === 'rejected') throw result.reason;
    expect(await failure(scene.client.echo('stopped'))).to.be.instanceOf(WorkerNotFoundError);

    const third = await workers.start(worker);
    const pids = [...scene.pids];
    const stopping = workers.stop(third);
    for (const pid of pids) scene.kill(pid);
    await soon(stopping, { within: '5s' });
    await waitFor(() => pids.every(pid => !isAlive(pid)));
    expect((await workers.start(worker)).state).to.equal('ready');
    expect(await scene.client.echo('alive')).to.equal('alive');
    const [one, two] = await Promise.all([scene.app.close(), scene.app.close()]);
    expect(one).to.equal(two);
  });

  it('42. parent `kill -9` → no child alive after 2 s, also when children are CPU-bound', async () => {
    const server = spawnScript(new URL('../../../fixtures/workers/journal.main.js', import.meta.url), [], {
      env: { JOURNAL: '/dev/null', PACKET_LOG: 'fatal' },
    });
    const port = Number(/\d+/.exec(await server.line(/^port/))![0]);
    const clients = [await tcpClient(port), await tcpClient(port)];
    for (const client of clients) await client.send('spin 60000\n');
    const children = await waitFor(
      () => {
        const all = processesOf(server.pid);
        return all.filter(({ command, state }) => command.startsWith('packet-ts ') && state === 'R').length === 2 && all;
      },
      { within: '5s', what: 'both workers to compute' },
    );
    server.kill('SIGKILL');
    await waitFor(() => children.every(({ pid }) => !isAlive(pid)), { within: '2s', what: 'all children to be gone' });
  });

  it('43. parent SIGTERM, SIGINT: graceful; createTestApp, spawn and `signals: false` install no global handler', async () => {
    const before = listeners();
    @Module({ workers: [CaseWorker] })
    class AppModule {}
    const app = await bootstrap(AppModule, { signals: false, logger: false });
    expect(SIGNALS.slice(0, 4).map(signal => process.listenerCount(signal))).to.deep.equal(before.slice(0, 4));
    await app.close();
    const worker = await spawn(CaseWorker, { logger: false });
    const scene = await Scene.open({ where: 'inline' });
    expect(listeners()).to.deep.equal(before);
    await worker.close();
    await scene.app.close();
    expect(listeners()).to.deep.equal(before);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const server = spawnScript(new URL('../../../fixtures/workers/journal.main.js', import.meta.url), [], {
        env: { JOURNAL: '/dev/null', PACKET_LOG: 'fatal' },
      });
      const port = Number(/\d+/.exec(await server.line(/^port/))![0]);
      const clients = [await tcpClient(port), await tcpClient(port), await tcpClient(port)];
      // Each has been heard: what a process has not read by the time it closes is not handled.
      for (const client of clients) await client.send('here\n');
      for (const client of clients) expect(await client.line()).to.equal('here');
      for (const [i, client] of clients.entries()) await client.send(`${i} 200\n`);
      const children = processesOf(server.pid).map(({ pid }) => pid);
      await waitFor(() => processesOf(server.pid).some(({ command, state }) => command.startsWith('packet-ts ') && state === 'R'));
      server.kill(signal);
      for (const [i, client] of clients.entries()) expect(await client.all({ within: '10s' })).to.equal(`${i}\n`);
      expect(await server.exit()).to.deep.equal({ code: 0, signal: null });
      await waitFor(() => children.every(pid => !isAlive(pid)));
    }
  });

  /** Test runners that are no dependency of ours; npm brings them. Undefined off CI where it cannot. */
  async function runnerPasses(runner: string, args: readonly string[], env = {}): Promise<string | undefined> {
    const folder = fileURLToPath(new URL('../../../fixtures/runners', import.meta.url));
    const run = spawnProgram('npm', ['exec', '--yes', `--package=${runner}`, '--', ...args, folder], { env: { NO_COLOR: '1', ...env } });
    const { code } = await run.exit({ within: '3m' });
    const said = run.stdout.text + run.stderr.text;
    if (code !== 0 && process.env['CI'] !== 'true' && /E(NOTFOUND|AI_AGAIN|NOTCACHED|CONNREFUSED|TIMEDOUT)/.test(said)) {
      console.log(`      ${runner} cannot be had here: not tried`);
      return undefined;
    }
    expect(code, said).to.equal(0);
    return said;
  }

  it('44. a script that makes one call and ends exits by itself, under plain node, `node --test`, Jest and Vitest; nothing is open after `close()`', async function () {
    this.timeout(400_000);
    const file = new URL('../../../fixtures/start/one-call.main.js', import.meta.url);
    const plain = spawnScript(file);
    expect(await plain.line()).to.equal('answer 42');
    expect(await plain.exit()).to.deep.equal({ code: 0, signal: null });
    const tested = spawnScript(file, [], { execArgv: ['--test'] });
    expect(await tested.exit()).to.deep.equal({ code: 0, signal: null });
    expect(tested.stdout.text).to.match(/pass 1\b/);
    const closed = spawnScript(file, ['--close']);
    await closed.line('answer 42');
    expect(await closed.line(/^open/)).to.equal('open ');
    expect(await closed.exit()).to.deep.equal({ code: 0, signal: null });
    const env = { NODE_OPTIONS: '--experimental-vm-modules' };
    const jest = await runnerPasses('jest@30.5.2', ['jest', '--detectOpenHandles', '--rootDir'], env);
    if (jest !== undefined)
      expect(jest)
        .to.match(/1 passed/)
        .and.not.to.match(/open handle/i);
    const vitest = await runnerPasses('vitest@4.1.12', ['vitest', 'run', '--globals', '--root']);
    if (vitest !== undefined) expect(vitest).to.match(/1 passed/);
  });

  it('45. what a worker prints right before reply and before exit is not lost; its lines are labelled', async () => {
    const logger = new Lines();
    const scene = await Scene.open({ logger });
    const pid = await scene.client.pid();
    await scene.client.shout({ text: 'replied', exit: false });
    const error = await failure(scene.client.shout({ text: 'exited', exit: true }));
    expect(error['stderr']).to.include('exited on stderr');
    const expected = ['replied', 'exited'].flatMap(text =>
      ['stdout', 'stderr'].map(stream => ({ worker: 'case_worker', workerPid: pid, line: `${text} on ${stream}`, stream })),
    );
    await waitFor(() => expected.every(({ line }) => logger.seen.some(each => each.line === line)));
    for (const each of expected) expect(logger.seen.find(({ line }) => line === each.line)).to.include(each);
  });

  it('46. write to a dying worker: no EPIPE or ECONNRESET escapes as uncaught; every call settles', async () => {
    const scene = await Scene.open({ minWorkers: 2, maxWorkers: 2 });
    const block = Buffer.alloc(256 * 1024, 1);
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    process.on('uncaughtExceptionMonitor', onError);
    try {
      for (let round = 0; round < 6; round++) {
        const calls = Array.from({ length: 20 }, () => scene.client.echo(block));
        scene.kill(scene.pids[round % 2] ?? scene.pids[0]!);
        for (const result of await soon(Promise.allSettled(calls), { within: '10s' })) {
          if (result.status === 'rejected') expect(result.reason).to.include({ name: 'WorkerCrashedError', signal: 'SIGKILL' });
          else expect(result.value).to.have.length(block.length);
        }
        await waitFor(() => scene.pids.length === 2, { within: '5s' });
      }
    } finally {
      process.off('uncaughtExceptionMonitor', onError);
    }
    expect(errors).to.deep.equal([]);
  });

  it('47. user code in the worker prints garbage on stdout, sends its own process.send messages, overwrites `process` → protocol unaffected', async () => {
    const scene = await Scene.open();
    const pid = await scene.client.pid();
    expect(await scene.client.vandalise()).to.equal('done');
    expect(await scene.client.echo({ map: new Map([[1, 2n]]) })).to.deep.equal({ map: new Map([[1, 2n]]) });
    expect(((await scene.client.echo(Buffer.alloc(300_000, 7))) as Buffer).length).to.equal(300_000);
    expect(await failure(scene.client.fail('string'))).to.be.instanceOf(Error);
    expect(scene.exits).to.deep.equal([]);
    expect(scene.pids).to.deep.equal([pid]);
    await scene.app.close();
    expect(scene.exits[0]!.why).to.include({ reason: 'stop', exitCode: 0 });
  });

  it('48. args and results are not retained after a call', async () => {
    const scene = await Scene.open();
    const gc = await import('node:v8')
      .then(v8 => (v8.setFlagsFromString('--expose-gc'), import('node:vm')))
      .then(vm => vm.runInNewContext('gc') as () => void);
    const passed: WeakRef<object>[] = [];
    for (let i = 0; i < 50; i++) {
      const input = { i, failed: i % 5 === 0 };
      const output = (await scene.client.echo(input)) as object;
      passed.push(new WeakRef(input), new WeakRef(output));
      const refused = { i, bad: () => 1 };
      passed.push(new WeakRef(refused), new WeakRef(await failure(scene.client.echo(refused))));
    }
    const kept = (): number => (gc(), passed.filter(ref => ref.deref() !== undefined).length);
    // The last iteration's may still be in registers.
    await waitFor(() => kept() <= 4, { what: 'arguments and answers to be collected' });
  });
});
