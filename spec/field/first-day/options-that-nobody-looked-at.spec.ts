import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { InjectWorker, Module, UsageError, type WorkerClient } from 'packet-ts';
import { createTestApp, type TestApp } from 'packet-ts/testing';
import { Called, CallsOthers } from '../support/call-options.worker.js';

class Caller {
  constructor(
    @InjectWorker(Called) readonly called: WorkerClient<Called>,
    @InjectWorker(CallsOthers) readonly others: WorkerClient<CallsOthers>,
  ) {}
}

@Module({ workers: [Called, CallsOthers], providers: [Caller] })
class AppModule {}

type Method = 'count' | 'each' | 'collect' | 'ask' | 'tell';

const CASES: readonly (readonly [method: Method, options: unknown, message: RegExp])[] = [
  ['count', { signal: new AbortController() }, /count\(\): signal is an object of class AbortController: .* `\.signal`/],
  ['count', { signal: {} }, /count\(\): signal is \{\}/],
  ['count', { signal: new EventEmitter() }, /count\(\): signal is an object of class EventEmitter/],
  ['each', { signal: 'x' }, /each\(\): signal is "x"/],
  ['ask', { signal: {} }, /ask\(\): signal is/],
  ['tell', { signal: {} }, /tell\(\): signal is/],
  ['count', { timeout: 'soon' }, /count\(\): timeout is "soon": expected a duration/],
  ['each', { timeout: 'soon' }, /each\(\): timeout is "soon"/],
  ['count', { on: 5 }, /count\(\): on is 5: expected an object/],
  ['count', { on: () => {} }, /count\(\): on is the function on/],
  ['count', { on: { progress: 5 } }, /count\(\): on\.progress is 5: expected a function/],
  ['count', { on: { progres: () => {} } }, /count\(\) has no event 'progres': write 'progress'/],
  ['each', { on: { progress: () => {} } }, /each\(\) has no events/],
  ['ask', { on: { progress: () => {} } }, /ask\(\) has no events/],
  ['collect', { send: 'abc' }, /collect\(\): send is "abc": a string would be sent letter by letter/],
  ['collect', { send: 5 }, /collect\(\): send is 5: expected an \(async\) iterable/],
  ['collect', { send: {} }, /collect\(\): send is \{\}/],
  ['collect', { send: null }, /collect\(\): send is null/],
  ['collect', { send: async function* items() {} }, /collect\(\): send is the function items: call it/],
  ['count', { send: [1] }, /count\(\) receives nothing: leave out `send`/],
  ['tell', { send: [1] }, /tell\(\) receives nothing/],
  ['count', { key: 5 }, /count\(\): key is 5: expected a string/],
  ['count', { affinity: {} }, /count\(\): affinity is \{\}/],
  ['count', { caller: {} }, /count\(\): caller is \{\}/],
  ['count', { timeOut: 5 }, /count\(\) has no option 'timeOut': write 'timeout'/],
  ['each', { abortSignal: 1 }, /each\(\) has no option 'abortSignal'/],
  ['count', 5, /count\(\): its options are 5: expected an object/],
  ['count', null, /count\(\): its options are null/],
  ['each', [], /each\(\): its options are \[\]/],
];

for (const runtime of ['process', 'inline'] as const) {
  describe(`options of a call that the types forbid, runtime '${runtime}'`, () => {
    let app: TestApp;
    let caller: Caller;
    before(async () => {
      app = await createTestApp(AppModule).start({ runtime });
      caller = app.get(Caller);
    });
    after(() => app.close());

    const made = async (client: unknown, method: Method, options: unknown): Promise<unknown> => {
      const result = (client as Record<Method, (input: unknown, options: unknown) => unknown>)[method](1, options);
      if (method === 'each') for await (const item of result as AsyncIterable<unknown>) return item;
      return result;
    };

    for (const [i, [method, options, message]] of CASES.entries()) {
      it(`are told by a UsageError that names them: ${method}() ${i + 1}`, async () => {
        const error: unknown = await made(caller.called, method, options).catch((thrown: unknown) => thrown);
        expect(error).to.be.instanceOf(UsageError);
        expect((error as UsageError).message).to.match(message);
        expect((error as UsageError).message).to.match(/^called\./);
      });
    }

    for (const [method, option, message] of [
      ['count', 'controller', /^called\.count\(\): signal is an object of class AbortController/],
      ['each', 'controller', /^called\.each\(\): signal is/],
      ['collect', 'text', /^called\.collect\(\): send is "abc"/],
      ['count', 'text', /^called\.count\(\) receives nothing/],
      ['count', 'typo', /^called\.count\(\) has no event 'progres'/],
      ['ask', 'unknown', /^called\.ask\(\) has no option 'timeOut'/],
      ['tell', 'unknown', /^called\.tell\(\) has no option 'timeOut'/],
    ] as const) {
      it(`are told where a worker makes the call, too: ${method}() ${option}`, async () => {
        const error: unknown = await caller.others.call({ method, input: 1, option }).catch((thrown: unknown) => thrown);
        expect(error).to.be.instanceOf(UsageError);
        expect((error as UsageError).message).to.match(message);
      });
    }

    it('may be undefined, each of them', async () => {
      const nothing = { signal: undefined, timeout: undefined, key: undefined, affinity: undefined, caller: undefined, tag: undefined };
      expect(await made(caller.called, 'count', { ...nothing, on: undefined })).to.equal(1);
      expect(await made(caller.called, 'count', { on: { progress: undefined } })).to.equal(1);
      expect(await made(caller.called, 'each', nothing)).to.equal(1);
    });
  });
}
