import { expect } from 'chai';
import { AbortError, BoundaryError } from '../../src/errors.js';
import { Owner } from '../../src/workers/index.js';
import { startBoth } from '../kit/workers/two-workers-rig.js';

type Started = Awaited<ReturnType<typeof startBoth>>;

async function rejection(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    value => expect.fail(`resolved with ${String(value)}`),
    (error: Error) => error,
  );
}

for (const runtime of ['process', 'thread', 'inline'] as const) {
  describe(`a worker in the runtime '${runtime}'`, () => {
    let both: Started;
    before(async () => void (both = await startBoth(runtime, { concurrency: 4 })));

    it('answers calls, many at a time, each with its own answer', async () => {
      const { alpha } = both;
      const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => alpha.add([i, 1])));
      expect(answers).to.deep.equal(Array.from({ length: 500 }, (_, i) => i + 1));
    });

    it('throws what the task threw: class, code, cause', async () => {
      const error = await rejection(both.alpha.fail('far'));
      expect(error).to.be.instanceOf(RangeError).that.includes({ message: 'far', code: 'E_HOW' });
      expect(error.cause).to.be.instanceOf(TypeError);
      expect(error.stack).to.include('two-workers.ts');
    });

    it('is checked by both receivers', async () => {
      const input = await rejection(both.alpha.add(['a', 1] as never));
      expect(input).to.be.instanceOf(BoundaryError).that.includes({ worker: 'alpha', task: 'add', direction: 'input' });
      expect(await rejection(both.alpha.wrong()))
        .to.be.instanceOf(BoundaryError)
        .with.property('direction', 'output');
    });

    it('streams out, in order, and stops when the loop is left', async () => {
      const seen: number[] = [];
      for await (const each of both.alpha.count(1000)) seen.push(each);
      expect(seen).to.have.length(1000);
      for await (const each of both.alpha.count(1e9)) if (each === 100) break;
      expect(await both.alpha.add([1, 1])).to.equal(2);
    });

    it('streams in', async () => {
      expect(await both.alpha.sum(undefined, { send: Array.from({ length: 100 }, () => 2) })).to.equal(200);
    });

    it('has its events heard before its answer', async () => {
      const heard: number[] = [];
      expect(await both.alpha.work(200, { on: { step: (i: number) => heard.push(i) } })).to.equal('done');
      expect(heard).to.have.length(200);
    });

    it('is asked to end what its caller has given up', async () => {
      const controller = new AbortController();
      const waiting = rejection(both.alpha.wait(undefined, { signal: controller.signal }));
      controller.abort();
      expect(await waiting).to.be.instanceOf(AbortError);
      expect(await both.alpha.add([2, 2])).to.equal(4);
    });

    it('knows who calls', async () => {
      const caller = { connection: { id: 'c1', remote: { url: 'tcp://127.0.0.1:1' } } };
      const alpha = both.workforce.client('alpha', new Owner('connection', 'c1', caller)) as unknown as Started['alpha'];
      expect(await alpha.caller()).to.deep.equal(caller);
    });

    it('calls another worker and streams from it, through the master', async () => {
      expect(await both.beta.twice(21)).to.equal(42);
      const seen: number[] = [];
      for await (const each of both.beta.countTwice(50)) seen.push(each);
      expect(seen).to.deep.equal(Array.from({ length: 50 }, (_, i) => (i + 1) * 2));
    });

    it('takes mail, and sends unasked', async () => {
      const heard = new Promise(resolve => both.workforce.on('message', resolve));
      expect(await both.alpha.ask('hello')).to.equal('posted hello');
      expect(await heard).to.deep.equal({ heard: 'hello' });
    });
  });
}
