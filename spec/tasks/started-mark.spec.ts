import { expect } from 'chai';
import { closeSync, openSync } from 'node:fs';
import { startedMarkFile } from '../../src/hosts/mark-file.js';
import { FileStartedMark, type StartedMark } from '../../src/tasks/started-mark.js';
import { Kind } from '../../src/wire/link/protocol.js';
import { ready } from '../kit/workers/runtime-rig.js';
import { loaded, taskOf, workerOf } from '../kit/workers/worker-fixture.js';

/** Which call began, and what was marked by then. */
const log: string[] = [];
const open: (() => void)[] = [];

/** Tasks take no time unless they say so. */
const clock = { time: 0, now: () => clock.time };

class Marked implements StartedMark {
  begin(id: number): void {
    log.push(`mark ${id}`);
  }
}

class Tasks {
  quick(id: number): void {
    log.push(`begin ${id}`);
  }
  slow(id: number): void {
    log.push(`begin ${id}`);
    clock.time += 2;
  }
  waits(id: number): Promise<void> {
    log.push(`begin ${id}`);
    return id < 0 ? Promise.resolve() : new Promise(resolve => open.push(resolve));
  }
}
const worker = workerOf(Tasks, [taskOf('quick'), taskOf('slow'), taskOf('waits')]);
const [QUICK, SLOW, WAITS] = [0, 1, 2];

describe('the started mark', () => {
  beforeEach(() => {
    log.length = 0;
    open.length = 0;
  });

  it('is set before a call begins, call by call while it is not known how long one takes', async () => {
    const { master } = await ready(loaded(worker), {}, { mark: new Marked(), clock });
    await master.ask(QUICK, 1);
    expect(log).to.deep.equal(['mark 1', 'begin 1']);
  });

  it('covers at most 16 calls of tasks that took less than a millisecond', async () => {
    const { master } = await ready(loaded(worker), {}, { mark: new Marked(), clock });
    await master.ask(QUICK, 1);
    for (let id = 2; id <= 40; id++) master.call(QUICK, id);
    await master.settled(40);
    expect(log.filter(line => line.startsWith('mark'))).to.deep.equal(['mark 1', 'mark 17', 'mark 33', 'mark 40']);
    expect(log.indexOf('mark 33')).to.equal(log.indexOf('begin 18') - 1);
  });

  it('covers one call of a task that takes longer, and none behind it', async () => {
    const { master } = await ready(loaded(worker), {}, { mark: new Marked(), clock });
    await master.ask(SLOW, 1);
    await master.ask(QUICK, 2);
    for (const [task, id] of [
      [SLOW, 3],
      [SLOW, 4],
      [QUICK, 5],
      [QUICK, 6],
      [SLOW, 7],
    ] as const)
      master.call(task, id);
    await master.settled(7);
    expect(log.slice(4)).to.deep.equal(['mark 3', 'begin 3', 'mark 4', 'begin 4', 'mark 6', 'begin 5', 'begin 6', 'mark 7', 'begin 7']);
  });

  it('is taken back from calls that wait behind one which was thought quick', async () => {
    const { master } = await ready(loaded(worker), {}, { mark: new Marked(), clock });
    await master.ask(WAITS, -1);
    for (const id of [2, 3, 4]) master.call(WAITS, id);
    await master.roundTrip();
    await master.roundTrip();
    expect(log.slice(2)).to.deep.equal(['mark 4', 'begin 2', 'mark 2']);
    open[0]!();
    await master.settled(2);
    expect(log.slice(5, 7)).to.deep.equal(['mark 4', 'begin 3']);
  });

  it('does not cover a call that was dropped before it began', async () => {
    const { master } = await ready(loaded(worker), {}, { mark: new Marked(), clock });
    master.call(WAITS, 1);
    const dropped = master.call(WAITS, 2);
    master.link.send(Kind.CANCEL, dropped, 0);
    expect((await master.settled(dropped)).kind).to.equal('DROPPED');
    expect(log).to.deep.equal(['mark 1', 'begin 1']);
  });

  it('costs a task nothing when it cannot be written', () => {
    const fd = openSync('/dev/full', 'r');
    closeSync(fd);
    expect(() => new FileStartedMark(fd).begin(1)).not.to.throw();
  });

  it('is read as "anything may have begun" where no file could be made', () => {
    const mark = startedMarkFile('fixture', ['/no/such/folder']);
    expect(mark.fd).to.equal(undefined);
    expect(mark.read()).to.equal(0xffff_ffff);
  });
});
