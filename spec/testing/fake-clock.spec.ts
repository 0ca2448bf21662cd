import { expect } from 'chai';
import { FakeClock } from '../../src/testing/fake-clock.js';

describe('FakeClock', () => {
  it('runs what falls due in order of time, then of age, at its own time', async () => {
    const clock = new FakeClock();
    const seen: [string, number][] = [];
    clock.after(20, () => seen.push(['late', clock.now()]));
    clock.after(10, () => seen.push(['first', clock.now()]));
    clock.after(10, () => seen.push(['second', clock.now()]));
    await clock.advance(15);
    expect(seen).to.deep.equal([
      ['first', 10],
      ['second', 10],
    ]);
    expect(clock.now()).to.equal(15);
    await clock.advance('1s');
    expect(seen.at(-1)).to.deep.equal(['late', 20]);
    expect(clock.pending).to.equal(0);
  });

  it('runs timers that are set while it advances', async () => {
    const clock = new FakeClock();
    const seen: number[] = [];
    const again = (): void => {
      seen.push(clock.now());
      clock.after(10, again);
    };
    clock.after(10, again);
    await clock.advance(35);
    expect(seen).to.deep.equal([10, 20, 30]);
  });

  it('lets promises settle between two timers', async () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    clock.after(1, () => void Promise.resolve().then(() => seen.push('promise')));
    clock.after(2, () => seen.push('timer'));
    await clock.advance(2);
    expect(seen).to.deep.equal(['promise', 'timer']);
  });

  it('never runs a timer that was cancelled, even when both are due', async () => {
    const clock = new FakeClock();
    let ran = false;
    clock.after(5, () => timer.cancel());
    const timer = clock.after(5, () => (ran = true));
    await clock.advance(10);
    expect(ran).to.equal(false);
  });

  it('moves the wall clock along', async () => {
    const clock = new FakeClock(1_000);
    await clock.advance('2s');
    expect(clock.epoch()).to.equal(3_000);
  });
});
