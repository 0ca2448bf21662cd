import { expect } from 'chai';
import { AbortError, BoundaryError, ClosingError, NotCloneableError, UsageError } from '../../src/errors.js';
import type { Validator } from '../../src/schema.js';
import { looksAtContext } from '../../src/tasks/task.js';
import { CallFlag, Kind } from '../../src/wire/link/protocol.js';
import { ready, type Rig } from '../kit/workers/runtime-rig.js';
import { loaded, taskOf, workerOf } from '../kit/workers/worker-fixture.js';
import { rejection } from '../workers/support/rig.js';

interface Context {
  readonly signal: AbortSignal;
  readonly incoming: AsyncIterable<unknown>;
  readonly caller: unknown;
  readonly deadline: number | undefined;
  readonly attempt: number;
  emit(name: string, payload: unknown): Promise<void>;
  status(value: unknown): void;
}

/** Runs a task that does just this. */
async function running(
  task: (input: unknown, context: Context) => unknown,
  boot: Parameters<typeof ready>[1] = {},
  options: Parameters<typeof ready>[2] = {},
): Promise<Rig> {
  class One {
    go(input: unknown, context: Context): unknown {
      return task(input, context);
    }
  }
  const number: Validator = value => (typeof value === 'number' ? { value } : { issues: [{ message: 'no number' }] });
  return ready(
    loaded(
      workerOf(One, [
        taskOf('go', {
          events: new Map<string, Validator>([
            ['progress', number],
            ['any', value => ({ value })],
          ]),
        }),
      ]),
    ),
    boot,
    options,
  );
}

describe('the context of a task', () => {
  it('says who calls, until when and for which time; nothing said is the first time, without end, by nobody', async () => {
    const { master } = await running((_, { caller, deadline, attempt }) => ({ caller, deadline, attempt }));
    expect((await master.ask(0)).value).to.deep.equal({ caller: {}, deadline: undefined, attempt: 1 });
    const meta = { caller: { worker: { name: 'other', key: undefined } }, deadline: 1234, attempt: 2 };
    master.link.sendValue(Kind.META, 50, 0, meta);
    master.link.sendValue(Kind.CALL, 50, CallFlag.META, undefined);
    expect((await master.settled(50)).value).to.deep.equal(meta);
    expect((await master.ask(0)).value).to.deep.include({ attempt: 1 });
  });

  it('is given to every method that may look at it, and only to those', () => {
    const methods = {
      one(_input: unknown) {},
      two(_input: unknown, _context: unknown) {},
      defaulted(_input: unknown, _context = {}) {},
      rest(..._args: unknown[]) {},
      destructured({ a, b }: { a?: 1; b?: 2 }) {
        return [a, b];
      },
      old() {
        // oxlint-disable-next-line prefer-rest-params -- that is the point
        return arguments.length;
      },
      none() {},
    };
    const seen = Object.entries(methods).filter(([, method]) => looksAtContext(method as () => void));
    expect(seen.map(([name]) => name)).to.deep.equal(['two', 'defaulted', 'rest', 'old']);
    expect(looksAtContext(methods.one.bind(methods) as () => void)).to.equal(true);
  });

  it('may be taken apart: everything on it is bound', async () => {
    const { master } = await running(async (_, { emit, status, signal }) => {
      status('half');
      await emit('progress', 1);
      return signal.aborted;
    });
    expect((await master.ask(0)).value).to.equal(false);
    expect((await master.kind('STATUS')).value).to.equal('half');
  });

  describe('emits events', () => {
    it('that arrive before the answer, in order', async () => {
      const { master } = await running((_, { emit }) => {
        for (let i = 0; i < 5; i++) void emit('progress', i);
        return 'done';
      });
      await master.ask(0);
      const about = master.heard.filter(({ id }) => id === 1);
      expect(about.map(({ kind }) => kind)).to.deep.equal([...Array<string>(5).fill('EVENT'), 'REPLY']);
      expect(about[4]!.value).to.deep.equal(['progress', 4]);
    });

    it('as they are at that moment', async () => {
      const { master } = await running((_, { emit }) => {
        const payload = { step: 1 };
        void emit('any', payload);
        payload.step = 2;
      });
      await master.ask(0);
      expect((await master.kind('EVENT')).value).to.deep.equal(['any', { step: 1 }]);
    });

    it('only as many as the caller has room for; then whoever emits waits', async () => {
      let emitted = 0;
      const { master } = await running(async (_, { emit }) => {
        for (; emitted < 200; emitted++) await emit('progress', emitted);
      });
      const id = master.call(0);
      await master.roundTrip();
      await master.roundTrip();
      const events = (): number => master.heard.filter(({ kind }) => kind === 'EVENT').length;
      expect(events()).to.equal(64);
      master.link.send(Kind.CREDIT, id, (2 << 24) | 30);
      await master.roundTrip();
      await master.roundTrip();
      expect(events()).to.equal(94);
      master.link.send(Kind.CREDIT, id, (2 << 24) | 1000);
      expect((await master.settled(id)).kind).to.equal('REPLY');
      expect(events()).to.equal(200);
    });

    it('that were declared; another name, and a payload that cannot be copied, is an error of the line that emits', async () => {
      const { master } = await running((name, { emit }) => emit(name as string, () => 1));
      expect((await master.ask(0, 'progess')).value)
        .to.be.instanceOf(UsageError)
        .with.property('message')
        .that.includes('fixture.go has no event "progess"');
      expect((await master.ask(0, 'any')).value)
        .to.be.instanceOf(NotCloneableError)
        .with.property('path', 'event[1]');
    });

    it('unchecked, for the receiver checks them; checked where both sides are to', async () => {
      const emits = (_: unknown, { emit }: Context) => emit('progress', 'x');
      expect((await (await running(emits)).master.ask(0)).kind).to.equal('REPLY');
      expect((await (await running(emits, { validate: 'both' })).master.ask(0)).value).to.be.instanceOf(BoundaryError);
    });

    it('not after the answer: the promise says so', async () => {
      let emit!: Context['emit'];
      const { master } = await running((_, context) => void (emit = context.emit));
      await master.ask(0);
      expect(await rejection(emit('progress', 1)))
        .to.be.instanceOf(UsageError)
        .with.property('message')
        .that.includes('fixture.go has answered');
      await master.roundTrip();
      expect(master.heard.some(({ kind }) => kind === 'EVENT')).to.equal(false);
    });

    for (const [how, end] of [
      ['returns', () => 'done'],
      ['resolves', () => Promise.resolve('done')],
      [
        'throws',
        () => {
          throw new Error('done');
        },
      ],
      ['rejects', () => Promise.reject(new Error('done'))],
    ] as const) {
      it(`all of them before the answer of a task that ${how} without having awaited them`, async () => {
        const promises: Promise<void>[] = [];
        const { master } = await running((_, { emit }) => {
          for (let i = 0; i < 100; i++) promises.push(emit('progress', i));
          return end();
        });
        const id = master.call(0);
        await master.roundTrip();
        await master.roundTrip();
        const about = () => master.heard.filter(said => said.id === id).map(({ kind }) => kind);
        expect(about()).to.deep.equal(Array<string>(64).fill('EVENT'));
        master.link.send(Kind.CREDIT, id, (2 << 24) | 36);
        await master.settled(id);
        expect(about()).to.deep.equal([...Array<string>(100).fill('EVENT'), /returns|resolves/.test(how) ? 'REPLY' : 'FAILURE']);
        await Promise.all(promises);
      });
    }

    it('and the answer is what the task returned then, not what became of it while events waited', async () => {
      const answer = { state: 'returned' };
      const { master } = await running((_, { emit }) => {
        for (let i = 0; i < 65; i++) void emit('progress', i);
        return answer;
      });
      const id = master.call(0);
      await master.roundTrip();
      answer.state = 'changed';
      master.link.send(Kind.CREDIT, id, (2 << 24) | 1);
      expect((await master.settled(id)).value).to.deep.equal({ state: 'returned' });
    });

    it('no more of them once the caller has given up: the answer waits for nobody, and the promises reject', async () => {
      const promises: Promise<void>[] = [];
      const { master } = await running((_, { emit }) => {
        for (let i = 0; i < 66; i++) promises.push(emit('progress', i));
      });
      const id = master.call(0);
      await master.roundTrip();
      master.link.send(Kind.CANCEL, id, 0);
      expect((await master.settled(id)).kind).to.equal('REPLY');
      expect(await rejection(promises[65]!)).to.be.instanceOf(AbortError);
      expect(master.heard.filter(({ kind }) => kind === 'EVENT')).to.have.length(64);
    });

    it('and while its events wait for credit a call keeps its slot', async () => {
      const { master } = await running((_, { emit }) => {
        for (let i = 0; i < 65; i++) void emit('progress', i);
      });
      const first = master.call(0);
      const second = master.call(0);
      await master.roundTrip();
      await master.roundTrip();
      expect(master.heard.some(({ id }) => id === second)).to.equal(false);
      master.link.send(Kind.CREDIT, first, (2 << 24) | 1);
      await master.settled(first);
      master.link.send(Kind.CREDIT, second, (2 << 24) | 1);
      expect((await master.settled(second)).kind).to.equal('REPLY');
    });
  });

  it('tells the first statuses of a turn at once, and of the others the latest', async () => {
    const stopped = { now: () => 0 };
    const { master } = await running(
      (_, { status }) => {
        for (let i = 0; i < 1000; i++) status({ i });
      },
      {},
      { clock: stopped },
    );
    await master.ask(0);
    await master.roundTrip();
    expect(master.heard.filter(({ kind }) => kind === 'STATUS').map(({ value }) => value)).to.deep.equal(
      [0, 1, 2, 3, 4, 5, 6, 7, 999].map(i => ({ i })),
    );
  });
});

describe('Master', () => {
  it('sends unasked messages as far as there is room, and tells the sender when there is more', async () => {
    let sent = 0;
    let more!: () => Promise<void>;
    class Idle {}
    const worker = loaded(workerOf(Idle, []), ({ master }) => {
      more = async () => {
        for (; sent < 100; sent++) await master.send({ sent });
      };
      return new Idle();
    });
    const { master } = await ready(worker);
    const all = more();
    await master.roundTrip();
    await master.roundTrip();
    const messages = () => master.heard.filter(({ kind }) => kind === 'MESSAGE');
    expect(messages()).to.have.length(64);
    expect(messages()[3]!.value).to.deep.equal({ sent: 3 });
    master.link.send(Kind.CREDIT, 0, (3 << 24) | 64);
    await all;
    await master.roundTrip();
    expect(messages()).to.have.length(100);
  });

  it('sends everything that it took before its worker ends', async () => {
    class Idle {}
    let send!: (data: unknown) => Promise<void>;
    const worker = loaded(workerOf(Idle, []), ({ master }) => {
      send = data => master.send(data);
      return new Idle();
    });
    const { master } = await ready(worker);
    const promises = Array.from({ length: 80 }, (_, i) => send(i));
    master.link.send(Kind.STOP, 0, 0);
    await master.roundTrip();
    master.link.send(Kind.CREDIT, 0, (3 << 24) | 64);
    await master.over;
    expect(master.heard.filter(({ kind }) => kind === 'MESSAGE')).to.have.length(80);
    await Promise.all(promises);
  });

  it('rejects what its master will never take', async () => {
    class Idle {}
    let send!: (data: unknown) => Promise<void>;
    const worker = loaded(workerOf(Idle, []), ({ master }) => {
      send = data => master.send(data);
      return new Idle();
    });
    const { master, end } = await ready(worker);
    const promises = Array.from({ length: 66 }, (_, i) => send(i));
    master.link.destroy();
    await end;
    expect(await rejection(promises[65]!)).to.be.instanceOf(ClosingError);
    expect(await rejection(send('late'))).to.be.instanceOf(ClosingError);
  });
});
