import { expect } from 'chai';
import { WorkerCrashedError, WorkerUnavailableError } from 'packet-ts';
import { soon, waitFor } from '../../../kit/index.js';
import { failure, Scene } from '../../../promises/pool/scene.js';

/** Its module cannot be loaded while the file `broken` exists, and never is while `endless` does. */
function fragile(more: object): Promise<Scene> {
  let scene: Scene | undefined;
  const env = {
    get CASE_BROKEN() {
      return scene?.path('broken');
    },
    get CASE_ENDLESS() {
      return scene?.path('endless');
    },
  };
  return Scene.open({ env, ...more }).then(opened => (scene = opened));
}

describe('crash and recovery', function () {
  it('1. `kill -9` the worker mid-call → that call rejects within 1 s with WorkerCrashedError { pid, exitCode, signal, worker, task }; calls on other workers finish', async () => {
    const scene = await Scene.open({ minWorkers: 2, maxWorkers: 2 });
    const [victim, other] = [await scene.begun('hang'), await scene.hold()];
    expect(victim.pid).to.not.equal(other.pid);
    scene.kill(victim.pid);
    const error = await soon(failure<WorkerCrashedError>(victim.call), { within: '1s' });
    expect(error).to.be.instanceOf(WorkerCrashedError);
    expect(error).to.include({ pid: victim.pid, exitCode: null, signal: 'SIGKILL', worker: 'case_worker', task: 'hang', started: true });
    other.release();
    expect(await other.call).to.equal(other.pid);
  });

  it('2. kill an idle worker → the next call succeeds; no call is lost', async () => {
    const scene = await Scene.open();
    for (let round = 0; round < 5; round++) {
      const pid = await scene.client.pid();
      scene.kill(pid);
      expect(await scene.client.echo(round)).to.equal(round);
    }
  });

  for (const code of [0, 7]) {
    it(`3. process.exit(${code}) in a handler, during and after the reply`, async () => {
      const scene = await Scene.open();
      const during = await failure<WorkerCrashedError>(scene.client.exit(code));
      expect(during).to.be.instanceOf(WorkerCrashedError);
      expect(during).to.include({ exitCode: code, signal: null, reason: 'exit', started: true });
      expect(await scene.client.exitAfter(code)).to.equal('answered');
      await waitFor(() => scene.exits.length === 2);
      expect(scene.exits[1]!.why).to.include({ exitCode: code, signal: null, reason: 'exit' });
      expect(await scene.client.echo('next')).to.equal('next');
    });
  }

  for (const [number, what, task, message] of [
    [4, '`throw` in setImmediate', 'throwAside', 'thrown aside'],
    [5, 'unhandled rejection in the worker', 'rejectAside', 'rejected aside'],
  ] as const) {
    it(`${number}. ${what} during a task; after the reply with no task running → the exit event with its why, and the pool still serves`, async () => {
      const scene = await Scene.open();
      const during = await failure<WorkerCrashedError>(scene.client[task](true));
      expect(during).to.be.instanceOf(WorkerCrashedError);
      expect(during).to.include({ exitCode: 1, reason: 'exit', started: true });
      expect(during.stderr).to.include(message);
      expect(await scene.client[task](false)).to.equal('answered');
      await waitFor(() => scene.exits.length === 2);
      for (const { why } of scene.exits) {
        expect(why).to.include({ exitCode: 1, signal: null, reason: 'exit' });
        expect(why.error).to.be.instanceOf(Error).and.to.have.property('message', message);
      }
      expect(await scene.client.echo('next')).to.equal('next');
    });
  }

  it('6. native-style abort (`process.abort()`) → parent alive, call rejected with SIGABRT', async () => {
    const scene = await Scene.open();
    expect(await failure(scene.client.abort())).to.include({
      name: 'WorkerCrashedError',
      signal: 'SIGABRT',
      exitCode: null,
      reason: 'signal',
    });
    expect(await scene.client.echo('next')).to.equal('next');
  });

  it('7. heap OOM in a worker → call rejected as OOM, parent alive, RSS back, next call works', async () => {
    const scene = await Scene.open({ resourceLimits: { maxOldGenerationSizeMb: 32 } });
    const before = process.memoryUsage().rss;
    expect(await failure(scene.client.fillHeap())).to.include({ name: 'WorkerCrashedError', reason: 'memory', started: true });
    expect(await scene.client.echo('next')).to.equal('next');
    expect(process.memoryUsage().rss - before).to.be.lessThan(32 * 1024 * 1024);
    expect(scene.exits).to.have.length(1);
    expect(scene.exits[0]!.why.reason).to.equal('memory');
  });

  it('8. crash on import: bounded restarts with growing delays, state failed, every waiting and new call rejects with the import error (message and stack), no spawn storm; recovers after the file is fixed and restart()', async () => {
    const restart = { maxFailedStarts: 4, within: '1m', delay: '60ms', maxDelay: '1m' } as const;
    const scene = await fragile({ restart });
    const gaveUp = new Promise<Error>(resolve => void scene.workers.on('gaveUp', (_handle, error) => resolve(error)));
    const ended: number[] = [];
    scene.workers.on('exit', () => ended.push(performance.now()));
    scene.touch('broken');
    scene.kill(await scene.client.pid());
    await waitFor(() => scene.exits.length === 1);
    const waiting = Array.from({ length: 3 }, (_, i) => failure<WorkerUnavailableError>(scene.client.echo(i)));
    for (const error of [...(await Promise.all(waiting)), await gaveUp, await failure<WorkerUnavailableError>(scene.client.echo('new'))]) {
      expect(error).to.be.instanceOf(WorkerUnavailableError);
      const cause = error.cause as Error;
      expect(cause).to.be.instanceOf(RangeError).and.to.have.property('message', 'this module is broken on purpose');
      expect(cause.stack).to.match(/case\.worker\.[jt]s:\d+/);
    }
    expect(scene.workers.get(scene.worker)!.state).to.equal('failed');
    await waitFor(() => scene.exits.length === 1 + 4);
    // The process that was killed is replaced at once; each failed start doubles the delay before the next one.
    expect(scene.starts).to.have.length(4);
    const gaps = [1, 2, 3].map(i => scene.starts[i]! - scene.starts[i - 1]!);
    for (const [i, least] of [60, 120, 240].entries()) expect(gaps[i], `delay ${i + 1}`).to.be.at.least(least - 2);
    scene.remove('broken');
    await scene.workers.restart(scene.worker);
    expect(await scene.client.echo('mended')).to.equal('mended');
    expect(scene.workers.get(scene.worker)!.state).to.equal('ready');
  });

  it('9. init that never completes → boot timeout kills it; queued calls do not wait for ever', async () => {
    const scene = await fragile({ startTimeout: '1500ms', restart: { maxFailedStarts: 1, delay: '10ms' } });
    scene.touch('endless');
    scene.kill(await scene.client.pid());
    await waitFor(() => scene.exits.length === 1);
    for (const error of await Promise.all([failure(scene.client.echo(1)), failure(scene.client.echo(2))])) {
      expect(error).to.be.instanceOf(WorkerUnavailableError);
      expect((error.cause as Error).message).to.include('startTimeout of 1500 ms');
    }
    await waitFor(() => scene.exits.length === 2);
    expect(scene.exits[1]!.why).to.include({ signal: 'SIGKILL' });
  });

  it('10. kill N of N workers at once with a full queue → all in-flight reject, queued run on replacements, order kept', async () => {
    const scene = await Scene.open({ minWorkers: 2, maxWorkers: 2 });
    const held = [await scene.begun('loop'), await scene.begun('loop')];
    const queued = Array.from({ length: 60 }, (_, i) => scene.note(i));
    for (const { pid } of held) scene.kill(pid);
    for (const { call, pid } of held) expect(await failure(call)).to.include({ name: 'WorkerCrashedError', pid });
    const by = await Promise.all(queued);
    expect([...scene.journal].sort((a, b) => Number(a) - Number(b))).to.deep.equal(Array.from({ length: 60 }, (_, i) => String(i)));
    for (const pid of new Set(by)) {
      expect(held.map(each => each.pid)).to.not.include(pid);
      const own = scene.journal.map(Number).filter(i => by[i] === pid);
      expect(own, `the order at ${pid}`).to.deep.equal([...own].sort((a, b) => a - b));
    }
  });

  it('11. prefetched-but-not-started task on a crashed worker → re-dispatched exactly once; started task → rejected, never re-run unless idempotent', async () => {
    const scene = await Scene.open({ prefetch: 3 });
    const started = await scene.begun('loop');
    const prefetched = [1, 2, 3].map(i => scene.note(i));
    // One running, three waiting at that process.
    expect(scene.workers.status()[0]).to.include({ running: 1, queued: 3, pid: started.pid });
    scene.kill(started.pid);
    expect(await failure(started.call)).to.include({ name: 'WorkerCrashedError', started: true });
    const pids = new Set(await Promise.all(prefetched));
    expect(scene.journal).to.deep.equal(['1', '2', '3']);
    expect([...pids])
      .to.have.length(1)
      .and.to.not.include(started.pid);

    const attempts = scene.path('attempts');
    expect(await scene.client.retried({ file: attempts, deaths: 2 })).to.equal(3);
    const error = await failure<WorkerCrashedError>(scene.client.retried({ file: attempts, deaths: 9 }));
    expect(error).to.be.instanceOf(WorkerCrashedError);
    expect(error.previous).to.have.length(2);
  });

  it('12. worker dies while its reply is half written → rejected, no parser corruption for the replacement', async () => {
    const scene = await Scene.open();
    for (let round = 0; round < 3; round++) {
      expect(await failure(scene.client.half(12 * 1024 * 1024))).to.include({
        name: 'WorkerCrashedError',
        signal: 'SIGKILL',
        started: true,
      });
      const answer = await scene.client.large(300_000);
      expect(answer).to.have.length(300_000);
      expect(answer.every(byte => byte === 7)).to.equal(true);
    }
  });
});
