import { expect } from 'chai';
import { LoopGate, SLICE } from '../../src/timing/loop-gate.js';
import { monotonicNow, setImmediate } from '../../src/system-timers.js';

/** Holds the event loop for so many milliseconds. */
function hold(time: number): void {
  for (const end = monotonicNow() + time; monotonicNow() < end;);
}

describe('the gate of the event loop', () => {
  it('lets nothing pass at once, and what takes no time in one turn', async () => {
    const gate = new LoopGate(monotonicNow);
    const passed: string[] = [];
    const all = new Promise<void>(resolve => {
      gate.enter('a', () => passed.push('a1'));
      gate.enter('a', () => passed.push('a2'));
      gate.enter('b', () => {
        passed.push('b1');
        setImmediate(() => passed.push('next turn'));
      });
      gate.enter('a', () => passed.push('a3'));
      gate.enter('b', resolve);
    });
    expect(passed).to.deep.equal([]);
    await all;
    await new Promise(resolve => setImmediate(resolve));
    // The groups take turns, within one turn of the loop.
    expect(passed).to.deep.equal(['a1', 'b1', 'a2', 'a3', 'next turn']);
  });

  it('stays closed for as long as work has taken beyond its slice, whether it passed the gate or not', async () => {
    const gate = new LoopGate(monotonicNow);
    const opened: number[] = [];
    const shut: number[] = [];
    const work = (): void => {
      opened.push(monotonicNow());
      hold(3 * SLICE);
      shut.push(monotonicNow());
    };
    for (const owes of [false, true]) {
      const begun = gate.begin();
      hold(3 * SLICE);
      // The first long turn in a while only sets it on the alert.
      expect(gate.owes(begun)).to.equal(owes);
    }
    expect(gate.owes(gate.begin())).to.equal(false);
    shut.push(monotonicNow());
    for (let i = 0; i < 3; i++) gate.enter(`peer ${i}`, work);
    await gate.pass('the last');
    opened.push(monotonicNow());
    for (const [i, at] of opened.entries()) expect(at - shut[i]!).to.be.at.least(2 * SLICE - 2);
  });

  it('counts no time in which work waited for a processor', () => {
    let spent = 0;
    const gate = new LoopGate(() => spent);
    const isHeld = (processorTime: number): boolean => {
      const begun = gate.begin();
      hold(3 * SLICE);
      spent += processorTime;
      return gate.isHeldSince(begun);
    };
    expect([100, SLICE - 1, SLICE + 1, 0, 100].map(isHeld)).to.deep.equal([false, false, true, false, true]);
  });

  it('counts what continues in promises, and lets nothing else pass meanwhile', async () => {
    const gate = new LoopGate(monotonicNow);
    const order: string[] = [];
    const heavy = async (name: string): Promise<void> => {
      await gate.pass(name);
      await Promise.resolve();
      order.push(name);
      setImmediate(() => order.push('a turn'));
      hold(2 * SLICE);
    };
    await Promise.all([heavy('first'), heavy('second')]);
    expect(order.slice(0, 3)).to.deep.equal(['first', 'a turn', 'second']);
  });

  it('goes on behind work that comes again', async () => {
    const gate = new LoopGate(monotonicNow);
    let left = 3;
    const again = (): void => {
      if (--left > 0) gate.enter('greedy', again);
    };
    gate.enter('greedy', again);
    await gate.pass('other');
    expect(left).to.equal(2);
    while (left > 0) await gate.pass('other');
  });
});
