import { expect } from 'chai';
import * as fc from 'fast-check';
import { Kind } from '../../../src/wire/link/protocol.js';
import { Owner } from '../../../src/workers/call/owner.js';
import type { FakeWorker, Heard } from '../../workers/support/fake-host.js';
import { Rig } from '../../workers/support/rig.js';

/** What a scripted process has: it works through its calls in order, in `slots` slots, as the real ones do. */
class Hands {
  readonly waiting: Heard[] = [];
  readonly running: Heard[] = [];
  readonly #begun: Map<unknown, number>;
  readonly #slots: number;

  constructor(begun: Map<unknown, number>, slots: number) {
    this.#begun = begun;
    this.#slots = slots;
  }

  /** Begins what there is a slot for; the mark leaves before anything begins. */
  begin(worker: FakeWorker): void {
    while (this.running.length < this.#slots) {
      const call = this.waiting.shift();
      if (!call) return;
      worker.begun = Math.max(worker.begun, call.id);
      this.running.push(call);
      this.#begun.set(call.value, (this.#begun.get(call.value) ?? 0) + 1);
    }
  }
}

const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      caller: fc.nat({ max: 3 }),
      again: fc.boolean(),
      affinity: fc.option(fc.nat({ max: 2 })),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('answer' as const), at: fc.nat(), fails: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), caller: fc.nat({ max: 3 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), time: fc.nat({ max: 400 }) }) },
);

describe('a stampede', () => {
  it('of calls, answers, cancellations, deaths and restarts settles every call once, runs none twice, and leaves nothing', async function () {
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 5, maxLength: 80, size: 'max' }),
        fc.record({
          slots: fc.constantFrom(1, 3),
          max: fc.constantFrom(1, 3),
          prefetch: fc.constantFrom('auto' as const, 0, 5),
          tasks: fc.constantFrom(0, 4),
        }),
        async (commands, { slots, max, prefetch, tasks }) => {
          const begun = new Map<unknown, number>();
          const hands = new Map<FakeWorker, Hands>();
          const handsOf = (worker: FakeWorker): Hands => {
            if (!hands.has(worker)) hands.set(worker, new Hands(begun, slots));
            return hands.get(worker)!;
          };
          const rig = new Rig(
            { concurrency: slots, minWorkers: 1, maxWorkers: max, prefetch, maxTasksPerWorker: tasks, timeout: 300, cancelGrace: 100 },
            {
              call: (worker, call) => {
                handsOf(worker).waiting.push(call);
                handsOf(worker).begin(worker);
              },
            },
          );
          await rig.start();
          const owners = [0, 1, 2, 3].map(id => new Owner('connection', `c${id}`));
          const controls: AbortController[] = [];
          const settled: number[] = [];
          const once = new Set<number>();
          const restarts: Promise<unknown>[] = [];
          let made = 0;
          const busy = (): FakeWorker[] => rig.host.workers.filter(worker => !worker.dead && (hands.get(worker)?.running.length ?? 0) > 0);

          for (const each of commands) {
            if (each.do === 'call') {
              const value = made++;
              const control = new AbortController();
              controls.push(control);
              const client = rig.client(owners[each.caller]);
              const options = { signal: control.signal, ...(each.affinity !== null && { affinity: `a${each.affinity}` }) };
              const call = each.again ? client.again(value, options) : client.run(value, options);
              if (!each.again) once.add(value);
              void Promise.allSettled([call]).then(() => settled.push(value));
            } else if (each.do === 'answer') {
              const worker = busy()[each.at % Math.max(1, busy().length)];
              const call = worker && handsOf(worker).running.shift();
              if (!call) continue;
              if (each.fails) worker.fail(call, new Error('as told'));
              else worker.reply(call);
              handsOf(worker).begin(worker);
            } else if (each.do === 'cancel') controls[each.at % Math.max(1, controls.length)]?.abort();
            else if (each.do === 'leave') owners[each.caller]!.abort('gone');
            else if (each.do === 'die') rig.host.workers[each.at % rig.host.workers.length]!.die({ signal: 'SIGKILL' });
            else if (each.do === 'restart') restarts.push(rig.workforce.restart(rig.worker).catch(() => {}));
            else await rig.clock.advance(each.time);
            if (each.do !== 'call') await rig.settle();
          }
          // Time alone settles the rest: tasks that hang are ended, one after the other.
          for (let i = 0; i < 400 && settled.length < made; i++) await rig.clock.advance(300);
          expect(
            [...settled].sort((a, b) => a - b),
            'settled',
          ).to.deep.equal(Array.from({ length: made }, (_, i) => i));
          for (const [value, times] of begun) expect(times, `begun: ${String(value)}`).to.be.at.most(once.has(value as number) ? 1 : 2);
          await rig.clock.advance(2000);
          await Promise.all(restarts);
          expect(rig.workforce.calls, 'calls left').to.equal(0);
          const alive = rig.workforce.status().filter(({ state }) => state === 'ready').length;
          expect(alive, 'processes at rest').to.be.within(1, max);
          await rig.close();
          expect(rig.clock.pending, 'timers left').to.equal(0);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is no reason to keep the process of a call that the caller gave up before it was read', async () => {
    const rig = await Rig.started();
    const control = new AbortController();
    rig
      .client()
      .run(1, { signal: control.signal })
      .catch(() => {});
    control.abort();
    const worker = await rig.host.worker(1);
    const call = await worker.call();
    await worker.next(Kind.CANCEL);
    worker.link.send(Kind.DROPPED, call.id, 0);
    await rig.settle();
    expect(rig.workforce.calls).to.equal(0);
    await rig.close();
  });
});
