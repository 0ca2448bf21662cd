import { expect } from 'chai';
import fc from 'fast-check';
import { TimerHeap, type HeapTimer } from '../../src/timing/timer-heap.js';
import { FakeClock } from '../../src/testing/fake-clock.js';

describe('alarms', () => {
  const sleeper = (rang: () => void): HeapTimer => ({ alarmAt: Infinity, alarmIndex: -1, onAlarm: rang });

  it('ring each at its time, whatever was set, moved and switched off before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ who: fc.nat(7), at: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(Infinity)) }), { maxLength: 60 }),
        async settings => {
          const clock = new FakeClock();
          const alarms = new TimerHeap(clock);
          const rang: [number, number][] = [];
          const sleepers = Array.from({ length: 8 }, (_, who) => sleeper(() => rang.push([who, clock.now()])));
          const expected = new Map<number, number>();
          for (const { who, at } of settings) {
            alarms.set(sleepers[who]!, at);
            if (at === Infinity) expected.delete(who);
            else expected.set(who, at);
          }
          expect(clock.pending).to.be.at.most(1);
          await clock.advance(60);
          const byTime = (a: readonly [number, number], b: readonly [number, number]): number => a[1] - b[1] || a[0] - b[0];
          expect(rang.sort(byTime)).to.deep.equal([...expected].sort(byTime));
          expect(clock.pending).to.equal(0);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('may be set again by the one that rings', async () => {
    const clock = new FakeClock();
    const alarms = new TimerHeap(clock);
    const rang: number[] = [];
    const again = sleeper(() => {
      rang.push(clock.now());
      if (rang.length < 3) alarms.set(again, clock.now() + 10);
    });
    alarms.set(again, 10);
    await clock.advance(100);
    expect(rang).to.deep.equal([10, 20, 30]);
  });

  it('have one timer, moved only when something is due earlier', async () => {
    const clock = new FakeClock();
    const alarms = new TimerHeap(clock);
    const many = Array.from({ length: 100 }, () => sleeper(() => {}));
    for (const [i, each] of many.entries()) alarms.set(each, 100 + i);
    expect(clock.pending).to.equal(1);
    for (const each of many) alarms.set(each, Infinity);
    expect(clock.pending).to.equal(0);
  });
});
