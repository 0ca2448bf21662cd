import { expect } from 'chai';
import * as supervisor from '../../../src/workers/pool/supervisor.js';

const size = { minWorkers: 1, maxWorkers: 4, spare: 0, concurrency: 1 };
const restart = { maxFailedStarts: 5, within: 10_000, delay: 100, maxDelay: 10_000 };

describe('the supervisor', () => {
  describe('wants as many processes as the load asks for', () => {
    const table: [string, Partial<supervisor.SizeRules>, { running: number; queued: number }, number][] = [
      ['none idle beyond the minimum', {}, { running: 0, queued: 0 }, 1],
      ['none at all with a minimum of 0', { minWorkers: 0 }, { running: 0, queued: 0 }, 0],
      ['one per running call', {}, { running: 2, queued: 0 }, 2],
      ['one per waiting call', {}, { running: 1, queued: 2 }, 3],
      ['never more than the most', {}, { running: 4, queued: 100 }, 4],
      ['a spare one beyond the busy', { spare: 1 }, { running: 1, queued: 0 }, 2],
      ['no spare one beyond the most', { spare: 3 }, { running: 3, queued: 0 }, 4],
      ['spare ones when nothing runs', { spare: 2, minWorkers: 0 }, { running: 0, queued: 0 }, 2],
      ['one per so many calls as run at once', { concurrency: 10 }, { running: 9, queued: 12 }, 3],
    ];
    for (const [name, rules, load, expected] of table) {
      it(name, () => expect(supervisor.wanted({ ...size, ...rules }, load)).to.equal(expected));
    }
  });

  it('starts what is missing at once: a cold burst makes all busy', () => {
    const staff = { ready: 0, starting: 0, running: 0, queued: 4 };
    expect(supervisor.toStart(size, staff, supervisor.noFailures, 0, 8)).to.equal(4);
    expect(supervisor.toStart(size, { ...staff, starting: 3 }, supervisor.noFailures, 0, 8)).to.equal(1);
    expect(supervisor.toStart(size, { ...staff, ready: 4 }, supervisor.noFailures, 0, 8)).to.equal(0);
    // No more at once than there are processors, and half of them where some serve already.
    expect(supervisor.toStart(size, staff, supervisor.noFailures, 0, 2)).to.equal(2);
    expect(supervisor.toStart(size, { ...staff, starting: 2 }, supervisor.noFailures, 0, 2)).to.equal(0);
    expect(supervisor.toStart(size, { ...staff, ready: 1 }, supervisor.noFailures, 0, 2)).to.equal(1);
    expect(supervisor.toStart(size, { ...staff, ready: 1 }, supervisor.noFailures, 0, 1)).to.equal(1);
  });

  it('starts one at a time after a failed start, and not before its delay', () => {
    const starts = supervisor.afterFailure(supervisor.noFailures, restart, 1000, false);
    const staff = { ready: 0, starting: 0, running: 0, queued: 4 };
    expect(starts.notBefore).to.equal(1100);
    expect(supervisor.toStart(size, staff, starts, 1099, 8)).to.equal(0);
    expect(supervisor.toStart(size, staff, starts, 1100, 8)).to.equal(1);
    expect(supervisor.toStart(size, { ...staff, starting: 1 }, starts, 1100, 8)).to.equal(0);
  });

  it('doubles the delay, gives up at the fifth failure, then tries once per maxDelay', () => {
    let starts = supervisor.noFailures;
    let now = 0;
    const delays: number[] = [];
    for (let i = 0; i < 7; i++) {
      starts = supervisor.afterFailure(starts, restart, now, false);
      delays.push(starts.notBefore - now);
      expect(starts.isBreakerOpen).to.equal(i >= 4);
      now = starts.notBefore;
    }
    expect(delays).to.deep.equal([100, 200, 400, 800, 10_000, 10_000, 10_000]);
  });

  it('gives up on starts that fail one after the other, however slowly', () => {
    let starts = supervisor.noFailures;
    for (let i = 0; i < 5; i++) starts = supervisor.afterFailure(starts, restart, i * 60_000, false);
    expect(starts.isBreakerOpen).to.equal(true);
  });

  it('gives up at once on a start that was never ready in time', () => {
    expect(supervisor.afterFailure(supervisor.noFailures, restart, 0, true).isBreakerOpen).to.equal(true);
  });

  it('counts failures within the time alone, when good starts lie between', () => {
    let starts = supervisor.noFailures;
    for (let i = 0; i < 20; i++) starts = supervisor.afterSuccess(supervisor.afterFailure(starts, restart, i * 3000, false));
    expect(starts.isBreakerOpen).to.equal(false);
    starts = supervisor.noFailures;
    for (let i = 0; i < 5; i++) starts = supervisor.afterFailure(supervisor.afterSuccess(starts), restart, i * 1000, false);
    expect(starts.isBreakerOpen).to.equal(true);
  });

  it('closes the breaker when a process proves itself', () => {
    let starts = supervisor.noFailures;
    for (let i = 0; i < 5; i++) starts = supervisor.afterFailure(starts, restart, i, false);
    starts = supervisor.afterSuccess(starts);
    expect(starts).to.include({ isBreakerOpen: false, notBefore: 0, inSuccession: 0 });
    const mistaken = supervisor.afterMistake(supervisor.noFailures, restart, 7);
    expect(mistaken).to.include({ isBreakerOpen: true, notBefore: 7 + restart.maxDelay, inSuccession: 0 });
    expect(supervisor.afterSuccess(mistaken)).to.deep.equal(supervisor.noFailures);
    expect(supervisor.afterSuccess(supervisor.noFailures), 'nothing to change').to.equal(supervisor.noFailures);
  });

  it('refuses calls only while the breaker is open and nobody serves', () => {
    const open = { failures: [], inSuccession: 5, notBefore: 1000, isBreakerOpen: true };
    const table: [supervisor.Starts, { ready: number; starting: number }, number, boolean][] = [
      [supervisor.noFailures, { ready: 0, starting: 0 }, 0, false],
      [open, { ready: 0, starting: 0 }, 999, true],
      [open, { ready: 1, starting: 0 }, 999, false],
      [open, { ready: 0, starting: 1 }, 1000, true],
      [open, { ready: 0, starting: 0 }, 1000, false],
    ];
    for (const [starts, staff, now, expected] of table) expect(supervisor.refuses(starts, staff, now)).to.equal(expected);
  });

  describe('tells a failed start from a death at work', () => {
    const table: [string, supervisor.ExitFacts, boolean][] = [
      ['died before it was ready', { readyFor: undefined, done: 0, inFlight: 0, isEndedByUs: false }, true],
      ['died idle right after it was ready', { readyFor: 999, done: 0, inFlight: 0, isEndedByUs: false }, true],
      ['died idle a second after it was ready', { readyFor: 1000, done: 0, inFlight: 0, isEndedByUs: false }, false],
      ['died right after a call', { readyFor: 10, done: 1, inFlight: 0, isEndedByUs: false }, false],
      ['died under its first call', { readyFor: 10, done: 0, inFlight: 1, isEndedByUs: false }, false],
      ['was killed by us', { readyFor: 10, done: 0, inFlight: 0, isEndedByUs: true }, false],
    ];
    for (const [name, ending, expected] of table) it(name, () => expect(supervisor.isFailedStart(ending)).to.equal(expected));
  });

  it('lets those go that the load does not ask for', () => {
    expect(supervisor.dispensable(size, { ready: 4, starting: 0, running: 1, queued: 0 })).to.equal(3);
    expect(supervisor.dispensable({ ...size, spare: 2 }, { ready: 4, starting: 0, running: 1, queued: 0 })).to.equal(1);
    expect(supervisor.dispensable({ ...size, minWorkers: 4 }, { ready: 4, starting: 0, running: 0, queued: 0 })).to.equal(0);
  });

  it('replaces a process that grew too large after its call, and ends one that grew far too large', () => {
    const table: [number, number | undefined, string][] = [
      [0, 1e12, 'keep'],
      [100, undefined, 'keep'],
      [100, 100, 'keep'],
      [100, 101, 'recycle'],
      [100, 150, 'recycle'],
      [100, 151, 'kill'],
    ];
    for (const [limit, rss, expected] of table) expect(supervisor.onMemory(limit, rss)).to.equal(expected);
  });
});
