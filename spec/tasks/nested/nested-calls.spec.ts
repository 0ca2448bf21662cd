import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { AbortError, ClosingError, NotCloneableError, WorkerNotFoundError } from '../../../src/errors.js';
import { Kind, UPWARD, type BootMessage, type NestedCallMessage } from '../../../src/wire/link/protocol.js';
import type { Said } from '../../kit/workers/link-end.js';
import { ready, rig, type Rig } from '../../kit/workers/runtime-rig.js';
import { loaded, taskOf, workerOf } from '../../kit/workers/worker-fixture.js';

interface Other {
  add(input: unknown, options?: object): Promise<unknown>;
  count(input?: unknown, options?: object): AsyncIterableIterator<number>;
  ask(data: unknown, options?: object): Promise<unknown>;
  tell(data: unknown, options?: object): void;
}

const workers: BootMessage['workers'] = [
  { name: 'other', tasks: ['add', 'count'], streams: ['count'], receives: ['add'], events: [['add', ['step', 'unheard']]] },
];

/** A worker with a client of another one, which its only task uses as it is told. */
async function calling(use: (other: Other, input: unknown) => unknown, key?: string): Promise<Rig> {
  class Calls {
    readonly #other: Other;
    constructor(other: Other) {
      this.#other = other;
    }
    go(input: unknown): unknown {
      return use(this.#other, input);
    }
  }
  const worker = workerOf(Calls, [taskOf('go')]);
  return ready(
    loaded(worker, ({ client }) => new Calls(client('other', key) as Other)),
    { workers, concurrency: 4 },
  );
}

const upcall = ({ master }: Rig): Promise<Said & { readonly value: NestedCallMessage }> => master.kind('NESTED_CALL') as never;

describe('a client of another worker, inside a worker', () => {
  it('calls through the master and gives its answer', async () => {
    const made = await calling((other, input) => other.add(input));
    const id = made.master.call(0, [1, 2]);
    const call = await upcall(made);
    expect(call.id).to.be.greaterThanOrEqual(UPWARD);
    expect(call).to.include({ arg: 0 });
    expect(call.value).to.include({ worker: 'other', key: undefined, task: 'add', parent: id, sends: false });
    expect(call.value.input).to.deep.equal([1, 2]);
    made.master.link.sendValue(Kind.REPLY, call.id, 0, 3);
    expect((await made.master.settled(id)).value).to.equal(3);
  });

  it('takes one listener of a signal for all calls that hang on it, and none when they have settled', async () => {
    const { signal } = new AbortController();
    const listeners = (): number => getEventListeners(signal, 'abort').length;
    const made = await calling(other => Promise.all(Array.from({ length: 50 }, () => other.add(1, { signal }))));
    const id = made.master.call(0);
    const isCall = ({ kind }: Said): boolean => kind === 'NESTED_CALL';
    await made.master.hears(() => made.master.heard.filter(isCall).length === 50);
    const calls = made.master.heard.filter(isCall);
    expect(listeners()).to.equal(1);
    for (const call of calls) made.master.link.sendValue(Kind.REPLY, call.id, 0, 2);
    await made.master.settled(id);
    expect(listeners()).to.equal(0);
  });

  it('rejects with the error that the master tells', async () => {
    const made = await calling(other => other.add(1));
    const id = made.master.call(0);
    made.master.link.sendValue(Kind.FAILURE, (await upcall(made)).id, 0, new RangeError('too much'));
    expect((await made.master.settled(id)).value)
      .to.be.instanceOf(RangeError)
      .with.property('message', 'too much');
  });

  it('passes the options of a call on', async () => {
    const made = await calling(other => other.add(1, { timeout: '2s', affinity: 'a', caller: 'tenant', key: 'silver' }), 'gold');
    made.master.call(0);
    expect((await upcall(made)).value).to.include({ key: 'silver', timeout: 2000, affinity: 'a', caller: 'tenant' });
  });

  it('says in which call it was made, also after an await and among others', async () => {
    const made = await calling(async (other, input) => {
      await new Promise(setImmediate);
      await other.add(input);
    });
    const ids = [made.master.call(0, 'a'), made.master.call(0, 'b'), made.master.call(0, 'c')];
    await made.master.hears(({ kind, value }) => kind === 'NESTED_CALL' && (value as NestedCallMessage).input === 'c');
    const calls = made.master.heard.filter(({ kind }) => kind === 'NESTED_CALL').map(({ value }) => value as NestedCallMessage);
    expect(calls.map(({ input, parent }) => [input, parent])).to.deep.equal([
      ['a', ids[0]],
      ['b', ids[1]],
      ['c', ids[2]],
    ]);
  });

  it('asks and tells', async () => {
    const made = await calling(async (other, input) => (input === 'ask' ? other.ask({ a: 1 }) : other.tell({ b: 2 })));
    const id = made.master.call(0, 'ask');
    const asked = await upcall(made);
    expect(asked).to.include({ arg: 1 });
    made.master.link.sendValue(Kind.REPLY, asked.id, 0, 'answer');
    expect((await made.master.settled(id)).value).to.equal('answer');
    expect((await made.master.ask(0, 'tell')).kind).to.equal('REPLY');
    const told = await made.master.hears(({ kind, arg }) => kind === 'NESTED_CALL' && arg === 2);
    made.master.link.sendValue(Kind.REPLY, told.id, 0, 'nobody waits for this');
    await made.master.roundTrip();
  });

  it('refuses what cannot be copied, with its place, and sends nothing', async () => {
    const made = await calling(other => other.add({ fn: () => 1 }));
    expect((await made.master.ask(0)).value)
      .to.be.instanceOf(NotCloneableError)
      .with.property('path')
      .that.includes('fn');
    expect(made.master.heard.some(({ kind }) => kind === 'NESTED_CALL')).to.equal(false);
  });

  it('gives up when its signal aborts, and tells the master', async () => {
    const controller = new AbortController();
    const made = await calling(other => other.add(1, { signal: controller.signal }));
    const id = made.master.call(0);
    const call = await upcall(made);
    controller.abort(new Error('enough'));
    const { value } = await made.master.settled(id);
    expect(value).to.be.instanceOf(AbortError);
    expect(((value as Error).cause as Error).message).to.equal('enough');
    expect(await made.master.kind('CANCEL')).to.include({ id: call.id, arg: 0 });
    expect((await made.master.ask(0)).value).to.be.instanceOf(AbortError);
  });

  it('iterates over a stream on credit, and leaves it', async () => {
    const made = await calling(async other => {
      let sum = 0;
      for await (const each of other.count()) if ((sum += each) >= 10) break;
      return sum;
    });
    const id = made.master.call(0);
    const call = await upcall(made);
    for (let i = 0; i < 12; i++) made.master.link.sendValue(Kind.ITEM, call.id, 0, 1);
    expect((await made.master.settled(id)).value).to.equal(10);
    // Its reader has waited: it has room for more than it took.
    expect(await made.master.kind('CREDIT')).to.include({ id: call.id, arg: 8 + 16 });
    expect(await made.master.kind('CANCEL')).to.include({ id: call.id, arg: 2 });
  });

  it('ends a stream with its end, or its error after the items before it', async () => {
    const made = await calling(async other => {
      const seen: unknown[] = [];
      try {
        for await (const each of other.count()) seen.push(each);
      } catch (error) {
        seen.push((error as Error).message);
      }
      return seen;
    });
    for (const fails of [false, true]) {
      const id = made.master.call(0);
      const call = await made.master.hears(({ kind, value }) => kind === 'NESTED_CALL' && (value as NestedCallMessage).parent === id);
      made.master.link.sendValue(Kind.ITEM, call.id, 0, 1);
      if (fails) made.master.link.sendValue(Kind.FAILURE, call.id, 0, new Error('cut'));
      else made.master.link.send(Kind.END, call.id, 0);
      expect((await made.master.settled(id)).value).to.deep.equal(fails ? [1, 'cut'] : [1]);
    }
  });

  it('streams in what it is given to send, on credit, and its end', async () => {
    const made = await calling(other => other.add(1, { send: Array.from({ length: 20 }, (_, i) => i) }));
    const id = made.master.call(0);
    const call = await upcall(made);
    expect(call.value.sends).to.equal(true);
    await made.master.roundTrip();
    await made.master.roundTrip();
    const sent = () => made.master.heard.filter(each => each.kind === 'ITEM' && each.id === call.id);
    expect(
      sent()
        .map(({ arg, value }) => [arg, value])
        .at(-1),
    ).to.deep.equal([1, 15]);
    made.master.link.send(Kind.CREDIT, call.id, (1 << 24) | 16);
    await made.master.hears(each => each.kind === 'END' && each.id === call.id && each.arg === 1);
    expect(sent()).to.have.length(20);
    made.master.link.sendValue(Kind.REPLY, call.id, 0, 'ok');
    expect((await made.master.settled(id)).value).to.equal('ok');
  });

  it('hears the events of its call, and makes room for more', async () => {
    const heard: unknown[] = [];
    const made = await calling(other => other.add(1, { on: { step: (payload: unknown) => heard.push(payload) } }));
    const id = made.master.call(0);
    const call = await upcall(made);
    for (let i = 0; i < 32; i++) made.master.link.sendValue(Kind.EVENT, call.id, 0, ['step', i]);
    made.master.link.sendValue(Kind.EVENT, call.id, 0, ['unheard', 1]);
    made.master.link.sendValue(Kind.REPLY, call.id, 0, 'ok');
    await made.master.settled(id);
    expect(heard).to.have.length(32);
    expect(await made.master.kind('CREDIT')).to.include({ id: call.id, arg: (2 << 24) | 32 });
  });

  it('does not exist for a worker that the application has not: the one that wants it cannot start', async () => {
    const worker = workerOf(class Calls {}, []);
    const { master } = rig(
      loaded(worker, ({ client }) => client('nobody', undefined)),
      { workers },
    );
    expect((await master.kind('FAILURE')).value).to.be.instanceOf(WorkerNotFoundError);
  });

  it('rejects what is under way when the link goes', async () => {
    let outcome: Promise<unknown> = Promise.resolve();
    const made = await calling(other => (outcome = other.add(1).catch((error: unknown) => error)));
    made.master.call(0);
    await upcall(made);
    made.master.link.destroy();
    expect(await outcome).to.be.instanceOf(ClosingError);
  });
});
