import { expect } from 'chai';
import { closeInOrder, type ClosingParts } from '../../src/app/closing.js';
import { FakeClock } from '../../src/testing/fake-clock.js';

/** An application whose steps are written down; a step in `stuck` never ends. */
function parts(clock: FakeClock, stuck: readonly string[] = [], left = { connections: 0, calls: 0, pids: [] as number[] }) {
  const steps: string[] = [];
  const step = (name: string): Promise<void> => {
    steps.push(name);
    return stuck.includes(name) ? new Promise(() => {}) : Promise.resolve();
  };
  const all: ClosingParts = {
    clock,
    stopListening: () => step('stop listening'),
    shutDownConnections: () => step('connections'),
    refuseCalls: () => void steps.push('refuse calls'),
    callsSettled: () => step('calls'),
    stopResidents: () => step('residents'),
    stopWorkers: timeout => {
      steps.push(`workers within ${timeout}`);
      return Promise.resolve(left);
    },
    destroyConnections: () => {
      steps.push('destroy');
      return steps.filter(each => each === 'destroy').length > 1 ? 0 : left.connections;
    },
    workerConnections: () => 0,
    dispose: () => step('dispose'),
    release: () => step('release'),
  };
  return { steps, all };
}

const never = new AbortController().signal;

describe('closing', () => {
  it('goes through its steps in order, and says that nothing was cut off', async () => {
    const clock = new FakeClock();
    const { steps, all } = parts(clock);
    expect(await closeInOrder(all, 15_000, never)).to.deep.equal({ graceful: true, connections: 0, calls: 0, workers: 0 });
    expect(steps).to.deep.equal([
      'stop listening',
      'refuse calls',
      'connections',
      'calls',
      'calls',
      'residents',
      'destroy',
      'workers within 15000',
      'dispose',
      'release',
    ]);
    expect(clock.pending).to.equal(0);
  });

  it('waits for what is disposed of until the deadline, and no longer', async () => {
    const clock = new FakeClock();
    const { steps, all } = parts(clock, ['dispose']);
    const closing = closeInOrder(all, 1000, never);
    await clock.advance(999);
    expect(steps.at(-1)).to.equal('dispose');
    await clock.advance(1);
    expect(await closing).to.include({ graceful: false });
    expect(steps.at(-1)).to.equal('release');
  });

  for (const stuck of ['stop listening', 'connections', 'calls']) {
    it(`cuts off what is stuck in "${stuck}" while there is time left for @OnStop, and counts it`, async () => {
      const clock = new FakeClock();
      const { steps, all } = parts(clock, [stuck], { connections: 2, calls: 3, pids: [7] });
      const closing = closeInOrder(all, 1000, never);
      await clock.advance(749);
      expect(steps).to.not.include('destroy');
      await clock.advance(1);
      expect(await closing).to.deep.equal({ graceful: false, connections: 2, calls: 3, workers: 1 });
      expect(steps.slice(-6)).to.deep.equal(['destroy', 'residents', 'destroy', 'workers within 250', 'dispose', 'release']);
      expect(clock.pending).to.equal(0);
    });
  }

  it('keeps no more than 2.5 s of a long time for @OnStop', async () => {
    const clock = new FakeClock();
    const { steps, all } = parts(clock, ['connections']);
    const closing = closeInOrder(all, 60_000, never);
    await clock.advance(57_499);
    expect(steps).to.not.include('residents');
    await clock.advance(1);
    await closing;
    expect(steps).to.include.members(['residents', 'workers within 2500']);
  });

  it('cuts off @OnStop at the deadline', async () => {
    const clock = new FakeClock();
    const { steps, all } = parts(clock, ['connections', 'residents']);
    const closing = closeInOrder(all, 1000, never);
    await clock.advance(999);
    expect(steps.at(-1)).to.equal('residents');
    await clock.advance(1);
    expect(await closing).to.include({ graceful: false });
    expect(steps.slice(-4)).to.deep.equal(['destroy', 'workers within 1', 'dispose', 'release']);
  });

  it('waits for ever without a deadline, until it is cut off', async () => {
    const clock = new FakeClock();
    const { steps, all } = parts(clock, ['calls']);
    const cutOff = new AbortController();
    const closing = closeInOrder(all, 0, cutOff.signal);
    await clock.advance('10d');
    expect(steps).to.not.include('destroy');
    cutOff.abort();
    expect((await closing).graceful).to.equal(false);
    expect(steps.at(-1)).to.equal('release');
  });
});
