import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { BoundaryError, MessageTooLargeError, NotCloneableError } from 'packet-ts';
import { CaseError } from '../../../fixtures/workers/case.worker.js';
import { waitFor } from '../../../kit/index.js';
import { failure, Scene } from '../scene.js';

/** Cases 49 to 53, for inline workers and for processes. */
export function valueCases(where: 'process' | 'inline'): void {
  describe(`values and errors, ${where}`, function () {
    const place = where === 'process' ? /\[worker case_worker pid \d+\]/ : /\[worker case_worker/;

    it('49. custom error class registered with the framework → `instanceof` true; name, message, code, own data, cause chain, AggregateError.errors, non-Error throws survive; stack shows both sides', async () => {
      const scene = await Scene.open({ where });
      async function fromHere(how: string): Promise<Error & Record<string, unknown>> {
        try {
          await scene.client.fail(how);
        } catch (error) {
          return error as Error & Record<string, unknown>;
        }
        throw new Error('it was expected to fail');
      }
      const custom = (await fromHere('class')) as unknown as CaseError;
      expect(custom).to.be.instanceOf(CaseError);
      expect(custom).to.include({ name: 'CaseError', message: 'no', code: 'E_CASE', place: 'row 7' });
      expect(custom.shelf).to.deep.equal({ row: 7 });
      expect(custom.cause).to.be.instanceOf(TypeError).and.to.include({ message: 'beneath', cause: 'the ground' });
      expect(custom.stack)
        .to.match(/case\.worker\.[jt]s:\d+/)
        .and.to.match(place)
        .and.to.match(/fromHere/);

      const both = (await fromHere('aggregate')) as unknown as AggregateError;
      expect(both).to.be.instanceOf(AggregateError).and.to.include({ message: 'both' });
      expect(both.errors[0]).to.be.instanceOf(RangeError).and.to.include({ message: 'one' });
      expect(both.errors[1]).to.be.instanceOf(CaseError).and.to.include({ message: 'two', place: 'row 2' });

      const plain = await fromHere('plain');
      expect(plain).to.be.instanceOf(Error).and.to.include({ message: 'coded', code: 'E_CODE' });
      expect(plain['data']).to.deep.equal({ list: [1, 2] });

      for (const [how, thrown] of [
        ['string', 'a string'],
        ['null', null],
        ['undefined', undefined],
      ] as const) {
        const error = await fromHere(how);
        expect(error, how).to.be.instanceOf(Error);
        expect(error.cause, how).to.equal(thrown);
        expect(error.message, how).to.include(how === 'string' ? 'a string' : typeof thrown);
      }
    });

    it('50. unserialisable argument → caller rejects with the path to the bad value, nothing sent; unserialisable result or error → caller rejects, never hangs', async () => {
      const scene = await Scene.open({ where });
      const argument = await failure<NotCloneableError>(scene.client.echo({ list: [1, { callback: () => 1 }] }));
      expect(argument).to.be.instanceOf(NotCloneableError).and.to.include({ path: 'input.list[1].callback' });
      expect(scene.workers.status()[0]).to.include({ done: 0, failed: 0, running: 0 });
      const result = await failure<NotCloneableError>(scene.client.unsendable());
      expect(result).to.be.instanceOf(NotCloneableError).and.to.include({ path: 'output.deep[0].callback' });
      const error = await failure(scene.client.fail('unsendable'));
      expect(error).to.be.instanceOf(Error);
      expect(error.message).to.include('with a function');
      expect(await scene.client.echo('alive')).to.equal('alive');
      expect(scene.exits).to.deep.equal([]);
    });

    it('51. a bad argument is rejected with its issues by the receiver; unknown keys are dropped, defaults applied once; an invalid reply does not pass', async () => {
      const scene = await Scene.open({ where });
      const bad = await failure<BoundaryError>(scene.client.person({ name: 'x', age: -1 }));
      expect(bad).to.be.instanceOf(BoundaryError).and.to.include({ worker: 'case_worker', task: 'person', direction: 'input' });
      expect(bad.issues.map(({ path }) => path)).to.deep.equal([['age']]);
      // Cast: what a caller without types may send.
      expect(await scene.client.person({ age: 1, extra: 'dropped' } as never)).to.deep.equal({ name: 'nobody', age: 1 });
      const reply = await failure<BoundaryError>(scene.client.person({ name: 'old', age: 99 }));
      expect(reply).to.be.instanceOf(BoundaryError).and.to.include({ task: 'person', direction: 'output' });
      expect(reply.issues.map(({ path }) => path)).to.deep.equal([['age']]);
      // The receiver validates: what is wrong was sent and counted there. With 'both' it is not even sent.
      expect(scene.workers.status()[0]!.failed).to.be.at.least(1);
      const strict = await Scene.open({ where, validate: 'both' });
      expect(await failure(strict.client.person({ name: 'x', age: -1 }))).to.be.instanceOf(BoundaryError);
      expect(strict.workers.status()[0]).to.include({ done: 0, failed: 0 });
    });

    it('52. BigInt, Map, Set, Date, RegExp, Buffer, typed arrays, cycles, -0, NaN; a 64 MB Buffer', async () => {
      const scene = await Scene.open({ where, maxMessageSize: '80mb' });
      const { client } = scene;
      const value = {
        big: 12345678901234567890n,
        map: new Map<unknown, unknown>([[{ key: 1 }, new Set(['a', 2])]]),
        date: new Date(0),
        pattern: /a+/gi,
        floats: new Float64Array([1.5, -0, NaN]),
        nothing: undefined,
        list: [undefined, null, -0, NaN, Infinity, 'žluť 🐎 \ud800'],
      };
      const copy = (await client.echo(value)) as typeof value;
      expect(copy).to.deep.equal(value);
      expect(Object.is(copy.list[2], -0)).to.equal(true);
      expect('nothing' in copy).to.equal(true);
      const buffer = (await client.echo(Buffer.from('bytes'))) as Buffer;
      expect(Buffer.isBuffer(buffer) && buffer.toString()).to.equal('bytes');
      const circle: { self?: unknown } = {};
      circle.self = circle;
      const round = (await client.echo(circle)) as typeof circle;
      expect(round.self).to.equal(round);
      const large = Buffer.alloc(64 * 1024 * 1024, 3);
      large.writeUInt32LE(0xdeadbeef, large.length - 4);
      expect(large.equals((await client.echo(large)) as Buffer)).to.equal(true);
      expect(await failure(client.echo(Buffer.alloc(81 * 1024 * 1024)))).to.be.instanceOf(MessageTooLargeError);
    });

    it('53. streaming: early `break` stops the producer, producer error after k items, back-pressure honoured', async () => {
      const scene = await Scene.open({ where });
      const { client, file } = scene;
      const made = (): number => Number(readFileSync(file, 'utf8').trim().split('\n').at(-1));
      const got: number[] = [];
      for await (const item of client.count({ file, to: 100 })) got.push(item);
      expect(got).to.deep.equal(Array.from({ length: 100 }, (_, i) => i + 1));
      for await (const item of client.count({ file, to: 1e9 })) if (item === 100) break;
      await waitFor(() => made() !== 100);
      expect(made()).to.be.within(100, 200);

      const some: number[] = [];
      const error = await failure(
        (async () => {
          for await (const item of client.count({ file, to: 100, failAt: 37 })) some.push(item);
        })(),
      );
      expect(error).to.be.instanceOf(CaseError).and.to.include({ place: 'row 37' });
      expect(some).to.have.length(37);

      // Nobody reads on: what is made meanwhile is bounded by the credit.
      const iterator = client.count({ file, to: 1e9 })[Symbol.asyncIterator]();
      expect(await iterator.next()).to.deep.equal({ done: false, value: 1 });
      const before = readFileSync(file, 'utf8');
      await iterator.return!();
      await waitFor(() => readFileSync(file, 'utf8') !== before);
      expect(made()).to.be.within(1, 64);
      expect(await client.echo('alive')).to.equal('alive');
      expect(scene.exits).to.deep.equal([]);
    });
  });
}
