import { expect } from 'chai';
import { CallCycleError, WorkerNotFoundError } from '../../../src/errors.js';
import { Kind, UPWARD } from '../../../src/wire/link/protocol.js';
import { Owner } from '../../../src/workers/call/owner.js';
import { blueprint } from '../support/blueprint.js';
import type { FakeWorker } from '../support/fake-host.js';
import { rejection, Rig, type FixtureClient } from '../support/rig.js';

describe('a call that a worker makes to another', () => {
  let rig: Rig;
  let other: FakeWorker;
  let asker: FakeWorker;
  const ID = UPWARD + 1;
  const up = (message: object, how = 0, id = ID): void => void asker.link.sendValue(Kind.NESTED_CALL, id, how, message);

  beforeEach(async () => {
    const second = blueprint({ prefetch: 0, queueTimeout: undefined }, { name: 'other', cls: class Other {} });
    rig = new Rig({}, {}, {}, undefined, [second]);
    await rig.workforce.start(rig.worker, undefined, undefined);
    await rig.workforce.start(second, undefined, undefined);
    [asker, other] = [await rig.host.worker(1), await rig.host.worker(2)];
  });

  afterEach(async () => {
    await rig.close();
    expect(rig.clock.pending, 'timers left').to.equal(0);
  });

  it('is answered, and its task sees who called', async () => {
    up({ worker: 'other', task: 'run', input: { a: 1 } });
    const call = await other.call();
    expect(call.value).to.deep.equal({ a: 1 });
    other.reply(call, 'answer');
    expect(await asker.next(Kind.REPLY)).to.include({ id: ID, value: 'answer' });
  });

  it('brings the error of the task, and that of a worker that is not there', async () => {
    up({ worker: 'other', task: 'run', input: 1 });
    other.fail(await other.call(), new RangeError('no'));
    expect((await asker.next(Kind.FAILURE)).value).to.be.instanceOf(RangeError);
    up({ worker: 'nobody', task: 'run', input: 1 }, 0, ID + 1);
    expect((await asker.next(Kind.FAILURE)).value).to.be.instanceOf(WorkerNotFoundError);
    up({ worker: 'other', task: 'helper', input: 1 }, 0, ID + 2);
    expect((await asker.next(Kind.FAILURE)).value).to.include({ code: 'ERR_PACKET_TASK_NOT_FOUND' });
  });

  it('brings an error that is larger than the asker takes, cut short', async () => {
    const second = blueprint({}, { name: 'large', cls: class Large {} });
    const small = new Rig({ maxMessageSize: 4096 }, {}, {}, undefined, [second]);
    await small.workforce.start(small.worker, undefined, undefined);
    await small.workforce.start(second, undefined, undefined);
    const [from, to] = [await small.host.worker(1), await small.host.worker(2)];
    from.link.sendValue(Kind.NESTED_CALL, ID, 0, { worker: 'large', task: 'run', input: 1 });
    to.fail(await to.call(), new RangeError('x'.repeat(10_000)));
    expect((await from.next(Kind.FAILURE)).value).to.include({ name: 'RangeError', message: 'x'.repeat(500) });
    await small.close();
  });

  it('asks and tells a mailbox', async () => {
    up({ worker: 'other', input: 'asked' }, 1);
    other.reply(await other.next(Kind.MAIL), 'a');
    expect((await asker.next(Kind.REPLY)).value).to.equal('a');
    up({ worker: 'other', input: 'told' }, 2, ID + 1);
    expect((await other.next(Kind.MAIL)).value).to.equal('told');
    other.reply({ kind: 0, id: 2, arg: 0, value: undefined });
  });

  it('streams on credit, and stops when the asker leaves', async () => {
    up({ worker: 'other', task: 'count', input: 100 });
    const call = await other.call();
    for (let i = 0; i < 16; i++) other.link.sendValue(Kind.ITEM, call.id, 0, i);
    for (let i = 0; i < 16; i++) expect((await asker.next(Kind.ITEM)).value).to.equal(i);
    await other.next(Kind.CREDIT);
    for (let i = 16; i < 32; i++) other.link.sendValue(Kind.ITEM, call.id, 0, i);
    await rig.settle();
    expect(asker.kinds, 'no credit, no items').to.not.include('ITEM');
    asker.link.send(Kind.CREDIT, ID, 4);
    for (let i = 16; i < 20; i++) expect((await asker.next(Kind.ITEM)).value).to.equal(i);
    asker.link.send(Kind.CANCEL, ID, 2);
    await other.next(Kind.CANCEL);
    other.link.send(Kind.END, call.id, 0);
  });

  for (const [how, arg] of [
    ['leaves the stream', 2],
    ['gives it up', 0],
  ] as const)
    it(`is over when the asker ${how} without credit: nothing is kept of it`, async () => {
      up({ worker: 'other', task: 'count', input: 100 });
      const call = await other.call();
      for (let i = 0; i < 16; i++) other.link.sendValue(Kind.ITEM, call.id, 0, i);
      for (let i = 0; i < 16; i++) await asker.next(Kind.ITEM);
      asker.link.send(Kind.CANCEL, ID, arg);
      await other.next(Kind.CANCEL);
      other.link.send(Kind.END, call.id, 0);
      await asker.next(arg === 2 ? Kind.END : Kind.FAILURE);
      // What is over is forgotten: its number may be used again.
      up({ worker: 'other', task: 'run', input: 'again' });
      other.reply(await other.call('again'), 'answer');
      expect((await asker.next(Kind.REPLY)).value).to.equal('answer');
    });

  it('takes a stream in', async () => {
    up({ worker: 'other', task: 'take', input: 1, sends: true });
    const call = await other.call();
    for (let i = 0; i < 3; i++) asker.link.sendValue(Kind.ITEM, ID, 1, i);
    asker.link.send(Kind.END, ID, 1);
    for (let i = 0; i < 3; i++) expect((await other.next(Kind.ITEM)).value).to.equal(i);
    await other.next(Kind.END);
    other.reply(call, 'all');
    expect((await asker.next(Kind.REPLY)).value).to.equal('all');
  });

  it('brings events, no more than the asker takes', async () => {
    up({ worker: 'other', task: 'tick', input: 1 });
    const call = await other.call();
    for (let i = 0; i < 64; i++) other.link.sendValue(Kind.EVENT, call.id, 0, ['progress', i]);
    for (let i = 0; i < 64; i++) expect((await asker.next(Kind.EVENT)).value).to.deep.equal(['progress', i]);
    other.reply(call);
    await asker.next(Kind.REPLY);
  });

  for (const [what, task, kind] of [
    ['items', 'count', Kind.ITEM],
    ['events', 'tick', Kind.EVENT],
  ] as const)
    it(`costs its asker its life when that gives credit for ${what} which it was never sent`, async () => {
      up({ worker: 'other', task, input: 1 });
      const call = await other.call();
      other.link.sendValue(kind, call.id, 0, kind === Kind.ITEM ? 1 : ['progress', 1]);
      await asker.next(kind);
      asker.link.send(Kind.CREDIT, ID, ((kind === Kind.ITEM ? 0 : 2) << 24) | 300);
      await other.next(Kind.CANCEL);
      expect(asker.signals).to.include('SIGKILL');
      if (kind === Kind.ITEM) other.link.send(Kind.END, call.id, 0);
      else other.reply(call);
    });

  it('is aborted when the asker gives it up', async () => {
    up({ worker: 'other', task: 'run', input: 1 });
    const call = await other.call();
    asker.link.send(Kind.CANCEL, ID, 0);
    expect(await other.next(Kind.CANCEL)).to.include({ id: call.id, arg: 0 });
    other.reply(call);
    expect((await asker.next(Kind.FAILURE)).value).to.include({ name: 'AbortError' });
  });

  it('is aborted when the call in whose task it was made is, and when its process dies', async () => {
    const control = new AbortController();
    const outer = rejection(rig.client().run('outer', { signal: control.signal }));
    const { id } = await asker.call();
    up({ worker: 'other', task: 'run', input: 'inner', parent: id });
    const inner = await other.call();
    control.abort();
    await outer;
    await other.next(Kind.CANCEL);
    other.reply(inner);
    await asker.next(Kind.FAILURE);
    up({ worker: 'other', task: 'run', input: 'orphan' }, 0, ID + 1);
    const orphan = await other.call();
    asker.die({ signal: 'SIGKILL' });
    await other.next(Kind.CANCEL);
    other.reply(orphan);
  });

  it('takes the place in the queue of whoever asked first', async () => {
    const client = rig.workforce.client('other', new Owner('connection', 'b')) as unknown as FixtureClient;
    const outer = rig.client(new Owner('connection', 'a')).run('outer');
    const parent = await asker.call();
    const running = client.run('running');
    const waiting = [client.run('b1'), client.run('b2')];
    for (let i = 0; i < 2; i++) up({ worker: 'other', task: 'run', input: `a${i}`, parent: parent.id }, 0, ID + i);
    await rig.settle();
    for (const value of ['running', 'b1', 'a0', 'b2', 'a1']) other.reply(await other.call(value));
    await Promise.all([running, ...waiting]);
    asker.reply(parent);
    await outer;
  });

  it('fails at once when it would wait for itself, naming the chain', async () => {
    const outer = rig.client().run('outer');
    const parent = await asker.call();
    up({ worker: 'other', task: 'run', input: 'inner', parent: parent.id });
    const inner = await other.call();
    other.link.sendValue(Kind.NESTED_CALL, ID, 0, { worker: 'fixture', task: 'run', input: 'back', parent: inner.id });
    const { value } = await other.next(Kind.FAILURE);
    expect(value).to.be.instanceOf(CallCycleError);
    expect((value as CallCycleError).chain).to.deep.equal(['fixture.run', 'other.run', 'fixture.run']);
    other.reply(inner, 1);
    await asker.next(Kind.REPLY);
    asker.reply(parent, 1);
    await outer;
  });

  it('fails at once when two calls would wait for each other crosswise', async () => {
    const client = rig.workforce.client('other', new Owner('app', 'x')) as unknown as FixtureClient;
    const [one, two] = [rig.client().run('one'), client.run('two')];
    const [inFixture, inOther] = [await asker.call(), await other.call()];
    up({ worker: 'other', task: 'run', input: 'crosswise', parent: inFixture.id });
    await rig.settle();
    other.link.sendValue(Kind.NESTED_CALL, ID, 0, { worker: 'fixture', task: 'run', input: 'back', parent: inOther.id });
    const { value } = await other.next(Kind.FAILURE);
    expect(value).to.be.instanceOf(CallCycleError);
    expect((value as CallCycleError).chain).to.deep.equal(['fixture.run', 'other.run', 'fixture.run']);
    other.reply(inOther, 1);
    other.reply(await other.call('crosswise'), 2);
    await asker.next(Kind.REPLY);
    asker.reply(inFixture, 3);
    expect(await Promise.all([one, two])).to.deep.equal([3, 1]);
  });

  it('waits when the worker it comes back to only happens to be busy', async () => {
    const [outer, second] = [rig.client().run('outer'), rig.client().run('second')];
    const parent = await asker.call('outer');
    up({ worker: 'other', task: 'run', input: 'inner', parent: parent.id });
    const inner = await other.call();
    other.reply(inner, 1);
    await asker.next(Kind.REPLY);
    asker.reply(parent);
    asker.reply(await asker.call('second'));
    await Promise.all([outer, second]);
  });

  it('is refused while its process has 5000 that are not over; those are answered', async () => {
    for (let i = 1; i <= 5001; i++) up({ worker: 'other', task: 'run', input: i }, 0, UPWARD + i);
    expect(await asker.next(Kind.FAILURE)).to.deep.include({ id: UPWARD + 5001 });
    expect(asker.heard).to.deep.equal([]);
    other.reply(await other.call(), 'first');
    expect(await asker.next(Kind.REPLY)).to.include({ id: UPWARD + 1, value: 'first' });
    up({ worker: 'other', task: 'run', input: 'again' }, 0, UPWARD + 5002);
    other.reply(await other.call(), 'second');
    expect(await asker.next(Kind.REPLY)).to.include({ value: 'second' });
  });

  it('costs a process its life that does not read the answers: they do not gather in the master', async () => {
    const why: unknown[] = [];
    rig.workforce.on('exit', ({ handle }, { reason, error }) => why.push(handle.name, reason, error?.message));
    asker.end.pause();
    const large = Buffer.alloc(15 * 1024 * 1024);
    let answered = 0;
    for (; asker.signals.length === 0 && answered < 30; answered++) {
      up({ worker: 'other', task: 'run', input: 1 }, 0, UPWARD + 1 + answered);
      other.reply(await other.call(), large);
      await rig.settle();
    }
    expect(answered).to.be.within(17, 20);
    expect(asker.signals).to.deep.equal(['SIGKILL']);
    expect(why).to.deep.equal(['fixture', 'protocol', 'it calls other workers and does not read their answers: ask for fewer at once']);
  });
});
