import { expect } from 'chai';
import { MAX_PREFETCH, ServiceTime } from '../../../src/workers/queue/prefetch.js';

/** A pace after calls that took so many milliseconds each, one after the other. */
function paced(suspect: boolean, ...times: number[]): ServiceTime {
  const pace = new ServiceTime(suspect);
  let now = 0;
  pace.start(now);
  for (const time of times) pace.onFinished(1, (now += time));
  return pace;
}

describe('the pace of a process', () => {
  it('gives nothing ahead before anything is known', () => expect(new ServiceTime(false).window).to.equal(0));

  it('gives as many ahead as were lately finished in a millisecond', () => {
    expect(paced(false, ...Array.from({ length: 20 }, () => 0.1)).window).to.equal(9);
    expect(paced(false, ...Array.from({ length: 20 }, () => 0.5)).window).to.equal(1);
    expect(paced(false, ...Array.from({ length: 20 }, () => 2)).window).to.equal(0);
  });

  it(`gives never more than ${MAX_PREFETCH}`, () =>
    expect(paced(false, ...Array.from({ length: 40 }, () => 0)).window).to.equal(MAX_PREFETCH));

  it('divides the time of a burst by its calls', () => {
    const pace = new ServiceTime(false);
    pace.start(0);
    for (let i = 1; i <= 20; i++) pace.onFinished(100, i);
    expect(pace.window).to.be.within(90, 100);
  });

  it('closes at once after one slow call, and opens after a few quick ones', () => {
    const quick = Array.from({ length: 20 }, () => 0.01);
    expect(paced(false, ...quick, 50).window).to.equal(0);
    expect(paced(false, ...quick, 50, ...quick).window).to.be.greaterThan(90);
  });

  it('believes the worker that it is quick, where the way there and back is slow: on a busy machine nothing would ever go ahead again', () => {
    const pace = paced(false, ...Array.from({ length: 20 }, () => 10));
    for (let calls = 0; calls < 20; calls++) pace.onAnswer(0.01);
    expect(pace.window).to.be.within(90, 100);
    pace.onAnswer(50);
    expect(pace.window).to.equal(0);
  });

  it('needs no word of the worker, where it is seen to be quick', () => {
    const pace = paced(false, ...Array.from({ length: 20 }, () => 0.1));
    for (let calls = 0; calls < 20; calls++) pace.onAnswer(10);
    expect(pace.window).to.equal(9);
  });

  it('trusts the successor of a killed process later than others', () => {
    const quickUntilOpen = (suspect: boolean): number => {
      for (let calls = 0; ; calls++) if (paced(suspect, ...Array.from({ length: calls }, () => 0.01)).window > 0) return calls;
    };
    expect(quickUntilOpen(false)).to.equal(3);
    expect(quickUntilOpen(true)).to.equal(6);
  });

  it('does not count the time in which there was nothing to do', () => {
    const pace = paced(false, ...Array.from({ length: 20 }, () => 0.1));
    pace.start(1_000_000);
    pace.onFinished(1, 1_000_000.1);
    expect(pace.window).to.be.within(8, 10);
  });
});
