import { expect } from 'chai';
import { AbortError, BoundaryError, NotCloneableError } from '../../src/errors.js';
import { CallFlag, Kind } from '../../src/wire/link/protocol.js';
import { ready, type Rig } from '../kit/workers/runtime-rig.js';
import { loaded, taskOf, workerOf } from '../kit/workers/worker-fixture.js';

const any = (value: unknown) => ({ value });
const number = (value: unknown) => (typeof value === 'number' ? { value: value + 1 } : { issues: [{ message: 'no number' }] });

interface Context {
  readonly signal: AbortSignal;
  readonly incoming: AsyncIterable<number>;
}

function streaming(task: (input: number, context: Context) => unknown, boot: Parameters<typeof ready>[1] = {}, yields = any): Promise<Rig> {
  class One {
    go(input: number, context: Context): unknown {
      return task(input, context);
    }
  }
  return ready(loaded(workerOf(One, [taskOf('go', { output: undefined, yields })])), boot);
}

function receiving(
  task: (incoming: AsyncIterable<number>, context: Context) => unknown,
  boot: Parameters<typeof ready>[1] = {},
): Promise<Rig> {
  class One {
    go(_input: unknown, context: Context): unknown {
      return task(context.incoming, context);
    }
  }
  return ready(loaded(workerOf(One, [taskOf('go', { receives: number })])), boot);
}

const items = ({ master }: Rig, id: number): unknown[] =>
  master.heard.filter(said => said.kind === 'ITEM' && said.id === id).map(({ value }) => value);
const LEFT = 2;

describe('a streaming task', () => {
  it('sends item by item, then the end', async () => {
    const rig = await streaming(async function* (to) {
      for (let i = 1; i <= to; i++) yield i;
    });
    expect((await rig.master.ask(0, 3)).kind).to.equal('END');
    expect(items(rig, 1)).to.deep.equal([1, 2, 3]);
  });

  it('is asked for no more than the caller has room for', async () => {
    let made = 0;
    const rig = await streaming(async function* () {
      for (;;) yield ++made;
    });
    const id = rig.master.call(0);
    await rig.master.roundTrip();
    await rig.master.roundTrip();
    expect(made).to.equal(16);
    rig.master.link.send(Kind.CREDIT, id, 5);
    await rig.master.roundTrip();
    await rig.master.roundTrip();
    expect([made, items(rig, id).length]).to.deep.equal([21, 21]);
    rig.master.link.send(Kind.CANCEL, id, LEFT);
    await rig.master.settled(id);
  });

  it('is left by its caller: its finally blocks run, its signal aborts, then the call is settled', async () => {
    const log: string[] = [];
    const rig = await streaming(async function* (_, { signal }) {
      signal.addEventListener('abort', () => log.push('aborted'));
      try {
        for (;;) yield 1;
      } finally {
        await Promise.resolve();
        log.push('closed');
      }
    });
    const id = rig.master.call(0);
    await rig.master.roundTrip();
    rig.master.link.send(Kind.CANCEL, id, LEFT);
    expect((await rig.master.settled(id)).kind).to.equal('END');
    expect(log).to.deep.equal(['aborted', 'closed']);
  });

  it('is left while it waits for something of its own, which its signal can end', async () => {
    const rig = await streaming(async function* (_, { signal }) {
      yield 1;
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    const id = rig.master.call(0);
    await rig.master.hears(({ kind }) => kind === 'ITEM');
    rig.master.link.send(Kind.CANCEL, id, LEFT);
    expect((await rig.master.settled(id)).kind).to.equal('END');
  });

  it('fails after some items with its own error', async () => {
    const rig = await streaming(async function* () {
      yield 1;
      throw new RangeError('no more');
    });
    const { kind, value } = await rig.master.ask(0);
    expect(kind).to.equal('FAILURE');
    expect(value).to.be.instanceOf(RangeError);
    expect(items(rig, 1)).to.deep.equal([1]);
  });

  it('fails at an item that cannot be copied, and is closed', async () => {
    let closed = false;
    const rig = await streaming(async function* () {
      try {
        yield { fn: () => 1 };
      } finally {
        closed = true;
      }
    });
    expect((await rig.master.ask(0)).value)
      .to.be.instanceOf(NotCloneableError)
      .with.property('path', 'item.fn');
    expect(closed).to.equal(true);
  });

  it('may return any iterable, and a promise of one; anything else is an error that says so', async () => {
    const rig = await streaming(input => [[1, 2], Promise.resolve(new Set([3])), 'text'][input]);
    await rig.master.ask(0, 0);
    await rig.master.ask(0, 1);
    expect([...items(rig, 1), ...items(rig, 2)]).to.deep.equal([1, 2, 3]);
    expect((await rig.master.ask(0, 2)).value)
      .to.be.instanceOf(TypeError)
      .with.property('message')
      .that.includes('async *');
  });

  it('has its items checked only where both sides are to, and sends what it made', async () => {
    const words = async function* (): AsyncGenerator {
      yield 1;
      yield 'word';
    };
    const trusting = await streaming(words, {}, number as never);
    expect((await trusting.master.ask(0)).kind).to.equal('END');
    const strict = await streaming(words, { validate: 'both' }, number as never);
    expect((await strict.master.ask(0)).value)
      .to.be.instanceOf(BoundaryError)
      .with.property('direction', 'output');
    expect(items(strict, 1)).to.deep.equal([1]);
  });

  it('holds its slot until it ends', async () => {
    const rig = await streaming(async function* () {
      for (;;) yield 1;
    });
    const [first, second] = [rig.master.call(0), rig.master.call(0)];
    await rig.master.roundTrip();
    expect(items(rig, second)).to.deep.equal([]);
    rig.master.link.send(Kind.CANCEL, first, LEFT);
    await rig.master.hears(({ kind, id }) => kind === 'ITEM' && id === second);
    rig.master.link.send(Kind.CANCEL, second, LEFT);
    await rig.master.settled(second);
  });
});

describe('a task that receives', () => {
  const send = ({ master }: Rig, id: number, ...values: unknown[]): void => {
    for (const value of values) master.link.sendValue(Kind.ITEM, id, 1, value);
  };
  const call = ({ master }: Rig, id = 70): number => {
    master.link.sendValue(Kind.CALL, id, CallFlag.SENDS, undefined);
    return id;
  };
  const sum = async (incoming: AsyncIterable<number>): Promise<number> => {
    let total = 0;
    for await (const each of incoming) total += each;
    return total;
  };

  it('takes parsed items until their end', async () => {
    const rig = await receiving(sum);
    const id = call(rig);
    send(rig, id, 1, 2, 3);
    rig.master.link.send(Kind.END, id, 1);
    expect((await rig.master.settled(id)).value).to.equal(9);
  });

  it('gives credit for what it has taken, and for nothing else', async () => {
    let take!: () => void;
    const rig = await receiving(async incoming => {
      await new Promise<void>(resolve => (take = resolve));
      return sum(incoming);
    });
    const id = call(rig);
    send(rig, id, ...Array<number>(16).fill(0));
    await rig.master.roundTrip();
    const credit = () => rig.master.heard.filter(({ kind }) => kind === 'CREDIT').map(({ arg }) => [arg >>> 24, arg & 0xff_ffff]);
    expect(credit()).to.deep.equal([]);
    take();
    await rig.master.roundTrip();
    await rig.master.roundTrip();
    expect(credit()).to.deep.equal([
      [1, 8],
      [1, 8],
    ]);
    rig.master.link.send(Kind.END, id, 1);
    await rig.master.settled(id);
  });

  it('gets a BoundaryError at an item that its schema refuses', async () => {
    const rig = await receiving(sum);
    const id = call(rig);
    send(rig, id, 1, 'two');
    expect((await rig.master.settled(id)).value)
      .to.be.instanceOf(BoundaryError)
      .with.property('direction', 'input');
  });

  it('sees the end at once when its caller sends nothing', async () => {
    const rig = await receiving(sum);
    expect((await rig.master.ask(0)).value).to.equal(0);
  });

  it('may have its items before it has begun', async () => {
    const rig = await receiving(sum);
    const [first, second] = [call(rig, 70), call(rig, 71)];
    send(rig, second, 10);
    rig.master.link.send(Kind.END, second, 1);
    await rig.master.roundTrip();
    rig.master.link.send(Kind.END, first, 1);
    expect((await rig.master.settled(second)).value).to.equal(11);
  });

  it('is told when its caller gives up in the middle', async () => {
    const rig = await receiving(sum);
    const id = call(rig);
    send(rig, id, 1);
    await rig.master.roundTrip();
    rig.master.link.send(Kind.CANCEL, id, 0);
    expect((await rig.master.settled(id)).value).to.be.instanceOf(AbortError);
  });

  it('may leave early and still answer', async () => {
    const rig = await receiving(async incoming => {
      for await (const each of incoming) return each;
      return 'nothing';
    });
    const id = call(rig);
    send(rig, id, 1, 2, 3);
    expect((await rig.master.settled(id)).value).to.equal(2);
    send(rig, id, 4);
    await rig.master.roundTrip();
  });

  it('does not see the items of calls that run beside it', async () => {
    const rig = await receiving(sum, { concurrency: 2 });
    const ids = [call(rig, 70), call(rig, 71)];
    for (let i = 0; i < 5; i++) for (const [index, id] of ids.entries()) send(rig, id, index * 100);
    for (const id of ids) rig.master.link.send(Kind.END, id, 1);
    expect((await rig.master.settled(70)).value).to.equal(5);
    expect((await rig.master.settled(71)).value).to.equal(505);
  });
});
