import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { PacketError, type WorkerHandle } from 'packet-ts';
import { processesOf, waitFor } from '../kit/index.js';
import { Scene } from '../promises/pool/scene.js';

type Key = 'a' | 'b';

/** What the model knows of one call. */
interface Known {
  readonly number: number;
  readonly kind: 'note' | 'retried' | 'hang' | 'count';
  /** What it must fail with, because of what was known when it was made. */
  readonly refused: string | undefined;
  readonly control: AbortController;
  aborted: boolean;
  settlements: number;
  outcome: 'right' | 'wrong' | Error | undefined;
}

const key = fc.constantFrom<Key | undefined>(undefined, 'a', 'b');
const kind = fc.constantFrom<Known['kind']>('note', 'note', 'note', 'retried', 'hang', 'count');
const command = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('call' as const), kind, key, affinity: fc.option(fc.constantFrom('x', 'y')) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cancel' as const), at: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const), at: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('start' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop' as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), time: fc.nat({ max: 150 }) }) },
);
const options = fc.record({
  minWorkers: fc.constantFrom(0, 1),
  maxWorkers: fc.constantFrom(1, 2),
  concurrency: fc.constantFrom(1, 3),
  prefetch: fc.constantFrom('auto' as const, 0, 4),
  maxTasksPerWorker: fc.constantFrom(0, 4),
  spare: fc.constantFrom(0, 1),
});
type Options = typeof options extends fc.Arbitrary<infer T> ? T : never;
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** The codes that a call may fail with when nothing was known against it: its process died or was stopped, or it overran. */
const MAY_FAIL = new Set([
  'ERR_PACKET_WORKER_CRASHED',
  'ERR_PACKET_WORKER_TIMEOUT',
  'ERR_PACKET_WORKER_RECYCLED',
  'ERR_PACKET_WORKER_NOT_FOUND',
]);

class Run {
  readonly calls: Known[] = [];
  /** What the model holds for started. */
  readonly started = new Map<Key | undefined, WorkerHandle>();
  readonly scene: Scene;
  readonly #faked: boolean;
  #closed = false;
  /** Nothing of what was stopped or killed so far excuses a call made later. */
  readonly pending: Promise<unknown>[] = [];

  constructor(scene: Scene, faked: boolean) {
    this.scene = scene;
    this.#faked = faked;
  }

  async do(each: Command): Promise<void> {
    const { workers, worker } = this.scene;
    switch (each.do) {
      case 'call':
        return this.call(each.kind, each.key, each.affinity ?? undefined);
      case 'cancel': {
        const call = this.calls[each.at % Math.max(1, this.calls.length)];
        if (!call || call.settlements > 0) return;
        call.aborted = true;
        return call.control.abort();
      }
      case 'kill': {
        // Inline workers share our process: those are ended by what hangs in them.
        const pids = this.scene.pids.filter(pid => pid !== process.pid);
        if (pids.length > 0) process.kill(pids[each.at % pids.length]!, 'SIGKILL');
        return;
      }
      case 'start': {
        const given = each.key === undefined ? {} : { key: each.key };
        const starting = workers.start(worker, given).then(handle => this.started.set(each.key, handle));
        await this.until(starting);
        return;
      }
      case 'stop': {
        const [stopped, handle] = [...this.started][each.at % Math.max(1, this.started.size)] ?? [];
        if (!handle) return;
        this.started.delete(stopped);
        await this.until(workers.stop(handle, { timeout: '500ms' }));
        return;
      }
      case 'restart':
        this.pending.push(workers.restart(worker).catch(() => {}));
        return;
      case 'wait':
        return this.pass(each.time);
    }
  }

  call(what: Known['kind'], to: Key | undefined, affinity: string | undefined): void {
    const { client, file } = this.scene;
    const control = new AbortController();
    const refused = this.#closed ? 'ERR_PACKET_CLOSING' : this.started.has(to) ? undefined : 'ERR_PACKET_WORKER_NOT_FOUND';
    const call: Known = { number: this.calls.length, kind: what, refused, control, aborted: false, settlements: 0, outcome: undefined };
    this.calls.push(call);
    const settings = { signal: control.signal, ...(to !== undefined && { key: to }), ...(affinity !== undefined && { affinity }) };
    const line = `call ${call.number}`;
    const made: Record<Known['kind'], () => Promise<boolean>> = {
      note: async () => (await client.note({ file, line, spin: 0 }, settings)) > 0,
      retried: async () => (await client.retried({ file: this.scene.path(`retried ${call.number}`), deaths: 0 }, settings)) >= 1,
      hang: async () => (await client.hang(undefined, settings), false),
      count: async () => {
        let last = 0;
        for await (const item of client.count({ file: this.scene.path('counts'), to: 40 }, settings)) if (item !== ++last) return false;
        return last === 40;
      },
    };
    void made[what]().then(
      right => {
        call.settlements++;
        call.outcome = right ? 'right' : 'wrong';
      },
      (error: Error) => {
        call.settlements++;
        call.outcome = error;
      },
    );
  }

  /** Lets time pass; where it is real, only turns of the event loop. */
  async pass(time: number): Promise<void> {
    if (this.#faked) await this.scene.app.clock.advance(time);
    else for (let turn = 0; turn < time; turn++) await new Promise(resolve => setImmediate(resolve));
  }

  async until(promise: Promise<unknown>): Promise<void> {
    let done = false;
    void promise.then(
      () => (done = true),
      () => (done = true),
    );
    if (this.#faked) for (let i = 0; i < 200 && !done; i++) await this.scene.app.clock.advance(50);
    await waitFor(() => done, { within: '15s', what: 'what was asked for to be done' });
    await promise;
  }

  async settle(): Promise<void> {
    if (this.#faked)
      for (let i = 0; i < 200 && this.calls.some(call => call.settlements === 0); i++) await this.scene.app.clock.advance(100);
    await waitFor(() => this.calls.every(call => call.settlements > 0), {
      within: '20s',
      what: () =>
        `calls ${this.calls.flatMap(call => (call.settlements === 0 ? [`${call.number} ${call.kind}`] : [])).join(', ')} to settle`,
    });
    await this.until(Promise.all(this.pending));
  }

  check({ minWorkers, maxWorkers }: Options): void {
    for (const call of this.calls) {
      const what = `call ${call.number} (${call.kind})`;
      expect(call.settlements, what).to.equal(1);
      if (call.outcome === 'right') expect(call.refused, `${what} was answered`).to.equal(undefined);
      else if (call.outcome instanceof PacketError) {
        const { code } = call.outcome;
        if (call.refused !== undefined) expect(code, what).to.equal(call.refused);
        else if (code === 'ERR_PACKET_ABORTED') expect(call.aborted, what).to.equal(true);
        else expect(MAY_FAIL, `${what}: ${call.outcome.message}`).to.include(code);
      } else expect.fail(`${what} ended with ${String(call.outcome)}`);
    }
    const ran = this.scene.journal;
    expect(new Set(ran).size, 'none was run twice').to.equal(ran.length);
    for (const call of this.calls) {
      if (call.kind === 'note' && call.outcome === 'right') expect(ran, `call ${call.number} ran`).to.include(`call ${call.number}`);
      if (call.refused !== undefined) expect(ran).to.not.include(`call ${call.number}`);
      if (call.kind !== 'retried' || call.outcome !== 'right') continue;
      const attempts = readFileSync(this.scene.path(`retried ${call.number}`), 'utf8')
        .trim()
        .split('\n');
      expect(attempts.length, `attempts of call ${call.number}`).to.be.within(1, 3);
      expect(attempts, 'each of them counted').to.deep.equal([...attempts].sort());
    }
    for (const handle of this.started.values()) {
      const rows = this.scene.workers.status().filter(row => row.key === handle.key && row.state === 'ready');
      expect(rows.length, `processes of ${handle.key} at rest`).to.be.within(minWorkers, maxWorkers);
      for (const row of rows) expect(row).to.include({ running: 0, queued: 0 });
    }
    const known = new Set([...this.started.values()].map(handle => handle.key));
    expect(
      this.scene.workers.list().map(handle => handle.key),
      'what is started',
    ).to.have.members([...known]);
  }

  async close(): Promise<void> {
    // Made while it closes: run on like those that were there before, or refused.
    const closing = this.scene.close();
    for (let turn = 0; turn < 3; turn++) {
      this.call('note', undefined, undefined);
      await new Promise(resolve => setImmediate(resolve));
    }
    expect(await closing).to.include({ connections: 0 });
    this.#closed = true;
    this.call('note', undefined, undefined);
    await this.settle();
    for (const { outcome } of this.calls.slice(-4, -1))
      if (outcome !== 'right')
        expect(outcome)
          .to.have.property('code')
          .that.matches(/^ERR_PACKET_(CLOSING|WORKER_NOT_FOUND|WORKER_CRASHED|WORKER_TIMEOUT)$/);
    expect(this.calls.at(-1)!.outcome).to.include({ code: 'ERR_PACKET_CLOSING' });
  }
}

for (const [where, runs, length] of [
  ['inline', 200, 40],
  ['process', 12, 25],
] as const) {
  describe(`a pool under any sequence of calls, cancellations, kills, stops, starts, restarts and a close, ${where}`, function () {
    this.timeout(300_000);

    it('settles every call once with what is due to it, runs none twice, keeps its bounds at rest and leaves no process', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: length, size: 'max' }), options, async (commands, settings) => {
          const faked = where === 'inline';
          const scene = await Scene.open({
            where,
            clock: faked ? 'fake' : 'real',
            autoLoad: false,
            timeout: '300ms',
            cancelGrace: '50ms',
            idleTimeout: '10m',
            restart: { maxFailedStarts: 1000, delay: '1ms', maxDelay: '10ms' },
            ...settings,
          });
          const run = new Run(scene, faked);
          try {
            await run.do({ do: 'start', key: undefined });
            for (const each of commands) await run.do(each);
            await run.settle();
            // What was killed last is being replaced, what was recycled is going.
            if (faked) await scene.app.clock.advance('2s');
            const atRest = (): boolean => {
              const rows = scene.workers.status();
              return rows.every(({ state }) => state === 'ready') || rows.every(({ pid }) => pid === undefined);
            };
            await waitFor(atRest, { within: '15s', what: 'the pool to be at rest' });
            run.check(settings);
            const pids = scene.pids.filter(pid => pid !== process.pid);
            await run.close();
            expect(scene.workers.list()).to.deep.equal([]);
            await waitFor(() => processesOf(process.pid).every(({ pid }) => !pids.includes(pid)), {
              within: '5s',
              what: 'all processes to be gone',
            });
          } finally {
            await scene.close();
          }
        }),
        { numRuns: runs },
      );
    });
  });
}
