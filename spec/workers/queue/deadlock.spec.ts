import { expect } from 'chai';
import type { Call } from '../../../src/workers/call/call.js';
import { findCallCycle } from '../../../src/workers/queue/deadlock.js';

interface FakeCall {
  readonly name: string;
  isSettled: boolean;
  began: number;
  waitsFor: Set<FakeCall> | undefined;
  holder: { callsAhead: () => readonly FakeCall[] | undefined } | undefined;
}

const running = (name: string, ...waitsFor: FakeCall[]): FakeCall => ({
  name,
  isSettled: false,
  began: 0,
  waitsFor: new Set(waitsFor),
  holder: undefined,
});
const waiting = (name: string, ahead: () => readonly FakeCall[] | undefined): FakeCall => ({
  name,
  isSettled: false,
  began: -1,
  waitsFor: undefined,
  holder: { callsAhead: ahead },
});
const cycleOf = (call: FakeCall): string[] | undefined =>
  (findCallCycle(call as unknown as Call) as unknown as readonly FakeCall[] | undefined)?.map(({ name }) => name);

describe('calls that wait for each other', () => {
  it('are a deadlock where a call waits for the slot of the call that waits for it, named in order', () => {
    const outer = running('outer');
    const back = waiting('back', () => [outer]);
    const inner = running('inner', back);
    outer.waitsFor!.add(inner);
    expect(cycleOf(back)).to.deep.equal(['outer', 'inner']);
  });

  it('go on where one of the slots ahead will be free', () => {
    const outer = running('outer');
    const back = waiting('back', () => [outer, running('free')]);
    outer.waitsFor!.add(back);
    expect(cycleOf(back)).to.equal(undefined);
  });

  it('stand still where a running call waits for several, and one of them never ends', () => {
    const outer = running('outer', running('free'));
    const back = waiting('back', () => [outer]);
    outer.waitsFor!.add(back);
    expect(cycleOf(back)).to.deep.equal(['outer']);
  });

  it('go on where another process may be started, or nothing holds the call any more', () => {
    const outer = running('outer');
    const back = waiting('back', () => undefined);
    outer.waitsFor!.add(back);
    expect(cycleOf(back)).to.equal(undefined);
    back.holder = undefined;
    expect(cycleOf(back)).to.equal(undefined);
  });

  it('go on where a call in the circle has settled, whatever it waited for', () => {
    const outer = running('outer');
    const back = waiting('back', () => [outer]);
    const inner = running('inner', back);
    outer.waitsFor!.add(inner);
    inner.isSettled = true;
    expect(cycleOf(back)).to.equal(undefined);
  });

  it('leave out of the chain what only stands in front of the circle', () => {
    const one = running('one');
    const two = running('two');
    one.waitsFor!.add(waiting('for two', () => [two]));
    two.waitsFor!.add(waiting('for one', () => [one]));
    expect(cycleOf(waiting('newcomer', () => [one, two]))).to.deep.equal(['one', 'two']);
  });

  it('are not looked at beyond ten thousand', () => {
    const outer = running('outer');
    const many: FakeCall[] = Array.from({ length: 10_001 }, (_, i) => running(`c${i}`, outer));
    const back = waiting('back', () => [outer, ...many]);
    outer.waitsFor!.add(back);
    expect(cycleOf(back)).to.equal(undefined);
  });
});
