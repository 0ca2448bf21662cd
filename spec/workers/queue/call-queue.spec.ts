import { expect } from 'chai';
import { QueueTimeoutError, WorkerBusyError } from '../../../src/errors.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';
import type { Call } from '../../../src/workers/call/call.js';
import { CallQueue, type QueueRules } from '../../../src/workers/queue/call-queue.js';

interface FakeCall {
  readonly name: string;
  readonly ended: Error[];
  ticket: unknown;
  holder: unknown;
  list: unknown;
}

interface Given {
  readonly caller?: string;
  readonly kind?: 'connection' | 'task' | 'app';
  readonly weight?: number;
  readonly token?: object;
}

function callOf(name: string, { caller = name[0]!, kind = 'app', weight = 0, token }: Given = {}): FakeCall & Call {
  const ended: Error[] = [];
  const target = { worker: { name: 'fixture' }, name: 'run' };
  const call = { name, caller, within: undefined, owner: { kind }, weight, token, target, key: undefined, holder: {}, ended };
  return { ...call, fail: (error: Error) => ended.push(error) > 0 } as unknown as FakeCall & Call;
}

const RULES: QueueRules = {
  maxQueue: 0,
  maxQueueBytes: 0,
  maxQueuePerCaller: undefined,
  queueTimeout: undefined,
  env: {},
  execArgv: [],
  runtime: 'process',
};

describe('the queue of a pool', () => {
  const clock = new FakeClock();
  let dismissed: string[] = [];
  const queueOf = (rules: Partial<QueueRules> = {}): CallQueue => {
    dismissed = [];
    return new CallQueue({ ...RULES, ...rules }, clock, call => void dismissed.push((call as unknown as FakeCall).name));
  };
  const rest = (queue: CallQueue): string[] => {
    const names: string[] = [];
    for (let call = queue.take(); call; call = queue.take()) names.push((call as unknown as FakeCall).name);
    return names;
  };
  const enter = (queue: CallQueue, ...calls: (FakeCall & Call)[]): boolean[] => calls.map(call => queue.enter(call, false));

  afterEach(() => {
    expect(clock.pending, 'timers left').to.equal(0);
  });

  it('gives callers their turns, and holds back what is parked until it is ready', () => {
    const queue = queueOf();
    const parked = callOf('c1');
    enter(queue, callOf('a1'), callOf('a2'), callOf('b1'));
    queue.enter(parked, true);
    expect([queue.size, queue.hasReady]).to.deep.equal([4, true]);
    expect(rest(queue)).to.deep.equal(['a1', 'b1', 'a2']);
    expect([queue.size, queue.hasReady]).to.deep.equal([1, false]);
    queue.unpark(parked);
    expect(queue.hasReady).to.equal(true);
    expect(rest(queue)).to.deep.equal(['c1']);
    expect(queue.take()).to.equal(undefined);
  });

  it('lets one leave wherever it stands, once, and its bytes and its time limit with it', async () => {
    const queue = queueOf({ queueTimeout: 100 });
    const [first, second, parked] = [callOf('a1', { weight: 10 }), callOf('a2', { weight: 5 }), callOf('b1', { weight: 1 })];
    enter(queue, first, second);
    queue.enter(parked, true);
    expect(queue.bytes).to.equal(16);
    expect([queue.leave(first), queue.leave(parked), queue.leave(first)]).to.deep.equal([true, true, false]);
    expect([queue.size, queue.bytes, first.ticket, parked.ticket]).to.deep.equal([1, 5, undefined, undefined]);
    expect(rest(queue)).to.deep.equal(['a2']);
    expect(queue.leave(second), 'it was taken').to.equal(false);
    await clock.advance(1000);
    expect([dismissed, first.ended, queue.bytes]).to.deep.equal([[], [], 0]);
  });

  it('puts back in front what had left, with its bytes and without a limit', async () => {
    const queue = queueOf({ queueTimeout: 100 });
    const call = callOf('a1', { weight: 7 });
    enter(queue, call, callOf('b1'));
    expect(queue.take()).to.equal(call);
    queue.giveBack(call);
    expect([queue.size, queue.bytes, call.ticket]).to.deep.equal([2, 7, undefined]);
    expect(rest(queue)).to.deep.equal(['a1', 'b1']);
    queue.giveBack(call);
    expect(queue.hasReady, 'nothing else waits').to.equal(true);
    expect([queue.leave(call), queue.size, queue.bytes]).to.deep.equal([true, 0, 0]);
    await clock.advance(1000);
    expect(call.ended).to.deep.equal([]);
  });

  it('fails a call that has waited for queueTimeout, no earlier, and those behind it in their own time', async () => {
    const queue = queueOf({ queueTimeout: 100 });
    const [first, second, third] = [callOf('a1'), callOf('b1'), callOf('c1')];
    enter(queue, first);
    await clock.advance(60);
    enter(queue, second, third);
    await clock.advance(39);
    expect(first.ended).to.deep.equal([]);
    await clock.advance(1);
    expect(first.ended[0]).to.be.instanceOf(QueueTimeoutError).and.to.include({ code: 'ERR_PACKET_QUEUE_TIMEOUT' });
    expect([first.holder, dismissed, queue.size]).to.deep.equal([undefined, ['a1'], 2]);
    expect(rest(queue).at(0)).to.equal('b1');
    enter(queue, callOf('d1'));
    await clock.advance(60);
    expect([second.ended, third.ended], 'they were taken').to.deep.equal([[], []]);
    await clock.advance(40);
    expect([dismissed, queue.size]).to.deep.equal([['a1', 'd1'], 0]);
  });

  it('ends all in one moment whose time is over in it', async () => {
    const queue = queueOf({ queueTimeout: 100 });
    const calls = ['a1', 'b1', 'c1'].map(name => callOf(name));
    enter(queue, ...calls);
    await clock.advance(100);
    expect(dismissed).to.deep.equal(['a1', 'b1', 'c1']);
    expect(calls.map(({ ended }) => ended.length)).to.deep.equal([1, 1, 1]);
  });

  it('lets calls of tasks wait for half a minute where there is no queueTimeout, and others for ever', async () => {
    const queue = queueOf();
    const [nested, plain] = [callOf('a1', { kind: 'task' }), callOf('b1')];
    enter(queue, nested, plain);
    await clock.advance(29_999);
    expect(nested.ended).to.deep.equal([]);
    await clock.advance(1);
    expect(nested.ended[0]).to.be.instanceOf(QueueTimeoutError);
    await clock.advance(1_000_000);
    expect(plain.ended).to.deep.equal([]);
  });

  it('has no time limit while a debugger may hold its processes', async () => {
    const queue = queueOf({ queueTimeout: 100, execArgv: ['--inspect'] });
    const call = callOf('a1');
    enter(queue, call);
    await clock.advance(1000);
    expect(call.ended).to.deep.equal([]);
  });

  it('refuses the newest call of the caller with the most when it is full, the newcomer where that is its own', () => {
    const queue = queueOf({ maxQueue: 3 });
    const [kept, newest] = [callOf('a1'), callOf('a3')];
    expect(enter(queue, kept, callOf('a2'), newest)).to.deep.equal([true, true, true]);
    const own = callOf('a4');
    expect(enter(queue, own)).to.deep.equal([false]);
    expect(own.ended[0]).to.be.instanceOf(WorkerBusyError).and.to.include({ limit: 'maxQueue' });
    expect(enter(queue, callOf('b1'))).to.deep.equal([true]);
    expect([newest.ended.length, newest.holder, kept.ended.length, dismissed]).to.deep.equal([1, undefined, 0, ['a4', 'a3']]);
    expect(rest(queue)).to.deep.equal(['a1', 'b1', 'a2']);
  });

  it('lets one caller have maxQueuePerCaller, a connection a tenth of maxQueue where that is not set', () => {
    const own = queueOf({ maxQueue: 100, maxQueuePerCaller: 2 });
    expect(enter(own, callOf('a1'), callOf('a2'), callOf('a3'), callOf('b1'))).to.deep.equal([true, true, false, true]);
    const shared = queueOf({ maxQueue: 20 });
    const of = (name: string, kind: 'connection' | 'app'): FakeCall & Call => callOf(name, { kind });
    expect(enter(shared, of('a1', 'connection'), of('a2', 'connection'), of('a3', 'connection'))).to.deep.equal([true, true, false]);
    expect(enter(shared, of('b1', 'app'), of('b2', 'app'), of('b3', 'app'))).to.deep.equal([true, true, true]);
    const small = queueOf({ maxQueue: 5 });
    expect(enter(small, of('a1', 'connection'), of('a2', 'connection'))).to.deep.equal([true, false]);
    const unlimited = queueOf({ maxQueue: 3, maxQueuePerCaller: 0 });
    expect(enter(unlimited, of('a1', 'connection'), of('a2', 'connection'), of('a3', 'connection'))).to.deep.equal([true, true, true]);
  });

  it('refuses calls of the caller that keeps most bytes until the argument fits; one alone always does', () => {
    const queue = queueOf({ maxQueueBytes: 100 });
    const of = (name: string, weight: number): FakeCall & Call => callOf(name, { weight });
    expect(enter(queue, of('a1', 500)), 'alone').to.deep.equal([true]);
    expect(queue.take()).to.not.equal(undefined);
    const [first, second] = [of('a1', 40), of('a2', 40)];
    enter(queue, first, second, of('b1', 10));
    expect(enter(queue, of('c1', 10)), 'exactly the limit').to.deep.equal([true]);
    expect(enter(queue, of('c2', 40))).to.deep.equal([true]);
    expect([queue.bytes, dismissed]).to.deep.equal([100, ['a2']]);
    expect(second.ended[0]!.message).to.match(/maxQueueBytes/);
    const large = of('d1', 90);
    expect(enter(queue, large), 'it would keep most itself').to.deep.equal([false]);
    expect(large.ended).to.have.length(1);
  });

  it('counts an argument that several calls share once, for as long as one of them waits', () => {
    const queue = queueOf({ maxQueueBytes: 100 });
    const token = {};
    const shared = ['a1', 'b1', 'c1'].map(name => callOf(name, { weight: 80, token }));
    expect(enter(queue, ...shared)).to.deep.equal([true, true, true]);
    expect(queue.bytes).to.equal(80);
    queue.take();
    queue.leave(shared[1]!);
    expect(queue.bytes).to.equal(80);
    queue.take();
    expect(queue.bytes).to.equal(0);
  });

  it('fails all that wait, parked ones too, and sets no timer once it is closed', async () => {
    const queue = queueOf({ queueTimeout: 100 });
    const calls = [callOf('a1', { weight: 3 }), callOf('b1')];
    enter(queue, calls[0]!);
    queue.enter(calls[1]!, true);
    queue.failAll(call => new Error((call as unknown as FakeCall).name));
    expect(calls.map(({ ended }) => ended[0]!.message)).to.deep.equal(['a1', 'b1']);
    expect([dismissed, queue.size, queue.bytes]).to.deep.equal([['a1', 'b1'], 0, 0]);
    expect(calls.map(({ ticket, holder }) => [ticket, holder])).to.deep.equal([
      [undefined, undefined],
      [undefined, undefined],
    ]);
    enter(queue, callOf('c1'));
    queue.close();
    expect(clock.pending).to.equal(0);
    await clock.advance(1000);
    expect(dismissed).to.deep.equal(['a1', 'b1']);
  });
});
