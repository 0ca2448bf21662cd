import { expect } from 'chai';
import { Connection, Module, OnData, OnError, spawn, type Spawned } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';
import { UNREADABLE, UnreadableWorker, type Unreadable } from '../../fixtures/misbehaviour/unreadable.worker.js';
import { soon } from '../../kit/index.js';

const WHAT = Object.keys(UNREADABLE) as Unreadable[];

/** Settles as an error, or as the value. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  return soon(
    call.catch((error: unknown) => error),
    { within: '10s', what: 'the call to settle' },
  );
}

async function collected(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const list: unknown[] = [];
  for await (const item of items) list.push(item);
  return list;
}

for (const runtime of ['process', 'inline'] as const) {
  describe(`a value that throws when it is looked at, ${runtime}`, function () {
    let worker: Spawned<typeof UnreadableWorker>;
    let born: number;

    before(async () => {
      worker = await spawn(UnreadableWorker, { runtime, logger: false });
      born = await worker.born();
    });
    after(async () => {
      const now = await worker.born();
      await worker.close();
      expect(now, 'the worker was never replaced').to.equal(born);
    });

    /** Makes calls beside one that is under way, which must not notice. */
    async function besideANeighbour(make: () => Promise<void>): Promise<void> {
      let begin: ((payload: unknown) => void) | undefined;
      const begun = new Promise<unknown>(resolve => (begin = resolve));
      const settled = worker.neighbour(undefined, { on: { go: payload => begin?.(payload) } });
      await soon(begun, { within: '10s', what: 'the neighbour to begin' });
      await make().finally(() => worker.finish());
      expect(await settled).to.equal('not disturbed');
    }

    for (const what of WHAT) {
      it(`fails the call that meets it alone, wherever that is: ${what}`, () =>
        besideANeighbour(async () => {
          for (const where of [
            'returned',
            'inside what is returned',
            'thrown',
            'a cause',
            'a field of an error',
            'among errors',
            'an event',
            'a status',
            'a status of the process',
            'sent to the master',
          ]) {
            const result = await outcome(worker.meet({ where, what }));
            // An error arrives as such even where a value was returned: at least something can be read of it.
            if (result !== 'went on')
              expect(result, where).to.satisfy((each: unknown) => each instanceof Error || typeof each === 'object');
            if (['a cause', 'a field of an error', 'among errors'].includes(where)) expect(result).to.have.property('message', 'above');
          }
          for (const where of ['thrown', 'yielded']) {
            const result = await outcome(collected(worker.stream({ where, what })));
            expect(result, where).to.satisfy((each: unknown) => each instanceof Error || Array.isArray(each));
          }
          for (const where of ['thrown', 'returned'])
            expect(await outcome(worker.ask({ where, what })), where).to.satisfy((each: unknown) => each instanceof Error);
        }));

      it(`fails the call that would send it alone: ${what}`, () =>
        besideANeighbour(async () => {
          const value = UNREADABLE[what]();
          const send = async function* (): AsyncGenerator {
            yield value;
          };
          const fails = async function* (): AsyncGenerator {
            yield Promise.reject(value);
          };
          for (const result of [
            await outcome(worker.meet(value as never)),
            await outcome(worker.ask(value)),
            await outcome(worker.count(undefined, { send: fails() })),
            await outcome(worker.meet({ where: 'nowhere', what }, { signal: AbortSignal.abort(value) })),
          ])
            expect(result).to.be.instanceOf(Error);
          expect(await outcome(worker.count(undefined, { send: send() }))).to.satisfy(
            (each: unknown) => each === 1 || each instanceof Error,
          );
          expect(await outcome(worker.meet({ where: 'nowhere', what }, { tag: value }))).to.equal('went on');
          worker.tell(value);
        }));
    }
  });
}

@Connection({ listen: 'memory:drafts', framing: lines() })
class Drafts {
  @OnData() answer(what: string): unknown {
    const value = UNREADABLE[what.slice(1) as Unreadable]();
    if (what.startsWith('!')) throw value as Error;
    return value;
  }

  @OnError() explain(error: Error): string {
    return `failed: ${error.message.slice(0, 20)}`;
  }
}

@Module({ connections: [Drafts] })
class DraftsModule {}

describe('a value that throws when it is looked at, in a handler of a connection', () => {
  for (const what of WHAT) {
    it(`fails that message alone, returned or thrown: ${what}`, async () => {
      await using app = await createTestApp(DraftsModule).start();
      const client = await app.connect(Drafts);
      for (const how of ['?', '!', '?']) {
        client.send(`${how}${what}`);
        expect(await client.next()).to.match(/^failed: /);
      }
    });
  }
});
