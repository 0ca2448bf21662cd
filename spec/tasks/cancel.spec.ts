import { expect } from 'chai';
import { AbortError, WorkerTimeoutError } from '../../src/errors.js';
import { Kind } from '../../src/wire/link/protocol.js';
import { ready } from '../kit/workers/runtime-rig.js';
import { loaded, taskOf, workerOf } from '../kit/workers/worker-fixture.js';

const signals: AbortSignal[] = [];

class Tasks {
  /** Ends when it is told to, with what it was told. */
  obeys(_input: unknown, { signal }: { signal: AbortSignal }): Promise<string> {
    signals.push(signal);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  }
  echo(input: unknown): unknown {
    return input;
  }
  throwing(_input: unknown, { signal }: { signal: AbortSignal }): void {
    signal.throwIfAborted();
  }
}
const worker = workerOf(Tasks, [taskOf('obeys', { softTimeout: 250 }), taskOf('echo'), taskOf('throwing')]);
const GIVEN_UP = 0;
const SOFT = 1;

describe('a cancelled call', () => {
  beforeEach(() => void (signals.length = 0));

  it('that has not begun does not begin, and those behind it do', async () => {
    const { master } = await ready(loaded(worker));
    const [running, dropped, next] = [master.call(0), master.call(0), master.call(1, 'next')];
    master.link.send(Kind.CANCEL, dropped, GIVEN_UP);
    expect((await master.settled(dropped)).kind).to.equal('DROPPED');
    master.link.send(Kind.CANCEL, running, GIVEN_UP);
    expect((await master.settled(next)).value).to.equal('next');
    expect(signals).to.have.length(1);
  });

  it('that runs has its signal aborted with an AbortError, and is settled when the task ends', async () => {
    const { master } = await ready(loaded(worker));
    const id = master.call(0);
    await master.roundTrip();
    expect(signals[0]!.aborted).to.equal(false);
    master.link.send(Kind.CANCEL, id, GIVEN_UP);
    expect((await master.settled(id)).kind).to.equal('FAILURE');
    expect(signals[0]!.reason).to.be.instanceOf(AbortError);
  });

  it('whose softTimeout has passed may still answer; the reason names the time', async () => {
    const { master } = await ready(loaded(worker), { key: 'gold' });
    const id = master.call(0);
    await master.roundTrip();
    master.link.send(Kind.CANCEL, id, SOFT);
    const { value } = await master.settled(id);
    expect(value).to.be.instanceOf(WorkerTimeoutError).that.includes({ worker: 'fixture', key: 'gold', task: 'obeys', timeout: 250 });
  });

  it('finds its signal aborted already when it begins after its softTimeout', async () => {
    const { master } = await ready(loaded(worker));
    const [running, late] = [master.call(0), master.call(2)];
    master.link.send(Kind.CANCEL, late, SOFT);
    master.link.send(Kind.CANCEL, running, GIVEN_UP);
    expect((await master.settled(late)).value).to.be.instanceOf(WorkerTimeoutError);
  });

  it('that is settled already is left alone, and so is one that never was', async () => {
    const { master } = await ready(loaded(worker));
    const { id } = await master.ask(1, 1);
    for (const each of [id, 4711]) master.link.send(Kind.CANCEL, each, GIVEN_UP);
    expect((await master.ask(1, 2)).value).to.equal(2);
    expect(master.heard.filter(({ kind }) => kind === 'DROPPED')).to.deep.equal([]);
  });

  it('does not disturb others that run beside it', async () => {
    const { master } = await ready(loaded(worker), { concurrency: 2 });
    const [one, two] = [master.call(0), master.call(0)];
    await master.roundTrip();
    master.link.send(Kind.CANCEL, one, GIVEN_UP);
    await master.settled(one);
    expect(signals.map(({ aborted }) => aborted)).to.deep.equal([true, false]);
    master.link.send(Kind.CANCEL, two, GIVEN_UP);
    await master.settled(two);
  });
});
