import { expect } from 'chai';
import { realClock } from '../../../../src/clock.js';
import { Owner } from '../../../../src/workers/call/owner.js';
import { Workforce } from '../../../../src/workers/workforce.js';
import { LoopDelay } from '../../../kit/loop-delay.js';
import { soon, waitFor } from '../../../kit/index.js';
import { blueprint } from '../../../workers/support/blueprint.js';
import { FakeHost } from '../../../workers/support/fake-host.js';
import type { FixtureClient } from '../../../workers/support/rig.js';
import { HostileHost } from '../../../attacks/support/hostile-host.js';

const FRAMES = 100_000;
const MB = 1024 * 1024;

/** Makes calls of every shape, one after the other, until it is told to stop; each must settle. */
async function calls(client: FixtureClient, shape: number, going: () => boolean): Promise<number> {
  let settled = 0;
  const shapes: readonly (() => Promise<unknown>)[] = [
    () => client.run({ settled }),
    () => client.text('a text'),
    () => client.tick(1, { on: { progress: () => {} } }),
    () => client.take(1, { send: Array.from({ length: 40 }, (_, i) => i) }),
    () => client.again(settled),
    async () => {
      for await (const item of client.count(1)) if (item === 50) break;
    },
    () => client.run(1, { signal: AbortSignal.timeout(5) }),
    () => client.ask({ any: settled }),
  ];
  for (; going(); settled++) {
    const error = await shapes[shape % shapes.length]!().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error !== undefined) expect(error).to.be.instanceOf(Error);
    // One that is refused at once would make the next at once, too.
    await new Promise(resolve => setImmediate(resolve));
  }
  return settled;
}

describe('a hostile worker', function () {
  this.timeout(400_000);

  it(`that writes ${FRAMES} frames of every kind in every phase, mutated, amplified, flooding, neither stops the master nor hinders the others`, async function () {
    const seed = Date.now() >>> 0;
    const hostile = new HostileHost(seed);
    const honest = new FakeHost({ call: (worker, call) => worker.reply(call) });
    const workforce = new Workforce(
      [
        blueprint(
          {
            runtime: 'process',
            minWorkers: 0,
            maxWorkers: 3,
            concurrency: 4,
            timeout: 100,
            startTimeout: 100,
            cancelGrace: 20,
            stallTimeout: 100,
            restart: { maxFailedStarts: 1e9, within: 1000, delay: 1, maxDelay: 1 },
          },
          { name: 'hostile', cls: class Hostile {} },
        ),
        blueprint({ runtime: 'inline' }, { name: 'good', cls: class Good {} }),
      ],
      { clock: realClock, host: runtime => (runtime === 'inline' ? honest : hostile) },
    );
    using _messages = workforce.on('message', () => {});
    await workforce.startAll();
    const owner = new Owner('app', 'app');
    // Casts: the blueprints' tasks, as a class would type them.
    const target = workforce.client('hostile', owner) as unknown as FixtureClient;
    const good = workforce.client('good', owner) as unknown as FixtureClient;
    const { tally } = hostile;
    const going = (): boolean => tally.frames < FRAMES;
    const attacked = Promise.all(Array.from({ length: 16 }, (_, shape) => calls(target, shape, going)));

    await waitFor(() => tally.frames > FRAMES / 10, { within: '60s', what: 'the attack to warm up' });
    using delay = new LoopDelay();
    let answered = 0;
    let slowest = 0;
    while (going()) {
      const from = performance.now();
      expect(await soon(good.run(answered), { within: '5s', what: `an answer of the good worker, seed ${seed}` })).to.equal(answered);
      slowest = Math.max(slowest, performance.now() - from);
      answered++;
      for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve));
    }
    const { grown, peak } = delay;
    const settled = await soon(attacked, { within: '20s', what: `the attacked calls to settle, seed ${seed}` });
    const { graceful } = await workforce.close(2000).then(({ calls: cut }) => ({ graceful: cut === 0 }));
    expect(graceful, `calls left, seed ${seed}`).to.equal(true);
    this.test!.title += ` (seed ${seed}, ${tally.lives} lives, ${settled.reduce((a, b) => a + b)} calls settled, ${answered} of others answered, slowest ${Math.round(slowest)} ms, loop late by at most ${Math.round(peak)} ms, RSS +${Math.round(grown / MB)} MB)`;
    expect(Math.min(...tally.mutations), 'every mutation was used').to.be.greaterThan(10);
    expect(answered).to.be.greaterThan(500);
    expect(peak, 'ms that the loop was late').to.be.lessThan(1000);
    expect(grown, 'bytes of RSS').to.be.lessThan(150 * MB);
  });
});
