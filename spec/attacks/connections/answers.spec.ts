import { expect } from 'chai';
import {
  Connection,
  Every,
  FramingError,
  inject,
  OnClose,
  OnData,
  OnError,
  OnStop,
  Reactor,
  type About,
  type CloseReason,
  type Decoder,
  type Framing,
} from 'packet-ts';
import { json, lines } from 'packet-ts/framing';
import type { Ctor } from '../../../src/decorators/ctor.js';
import { Events } from '../../kit/events.js';
import { waitFor } from '../../kit/index.js';
import { House } from '../support/house.js';
import { Boom, FAILURES, never } from '../support/victim.js';

const LOCAL = 'tcp://127.0.0.1:0';
const GRACEFUL = { graceful: true, connections: 0, calls: 0, workers: 0 };
const boom = (): never => {
  throw new Boom('the handler failed');
};

/** Answers 'bad' with what it is told to, and every other message with itself. */
function answering(answer: () => unknown, framing: Framing<unknown> = lines()) {
  const errors: { readonly name: string; readonly during: About['during'] }[] = [];
  const reasons: CloseReason[] = [];
  @Connection({ listen: LOCAL, framing })
  class Answering {
    @OnData() data(message: unknown): unknown {
      return message === 'bad' ? answer() : message;
    }
    @OnError() explain(error: Error, { during }: About): string {
      errors.push({ name: error.name, during });
      return 'explained';
    }
    @OnClose() closed(reason: CloseReason): void {
      reasons.push(reason);
    }
  }
  return { cls: Answering as Ctor, errors, reasons };
}

type Items = AsyncIterable<unknown>;
const iterable = (next: () => unknown, rest: object = {}): Items => ({
  [Symbol.asyncIterator]: () => ({ next, ...rest }) as AsyncIterator<unknown>,
});

describe('an answer that fails', () => {
  const STREAMS: Readonly<Record<string, () => unknown>> = {
    'an async iterable that throws': async function* () {
      yield 'one';
      boom();
    },
    'an async iterable whose next() throws': () => iterable(boom),
    'an async iterable whose next() rejects': () => iterable(() => Promise.reject(new Boom('rejected'))),
    'an async iterable that has no iterator': () => ({ [Symbol.asyncIterator]: boom }),
    'an iterator that answers with nothing': () => iterable(() => Promise.resolve(undefined)),
    'an iterator whose items are getters that throw': () =>
      iterable(() => ({
        done: false,
        get value() {
          return boom();
        },
      })),
  };
  for (const [what, answer] of Object.entries(STREAMS)) {
    it(`${what}: @OnError is told, and the connection lives`, async () => {
      const { cls, errors, reasons } = answering(answer);
      const house = await House.open([cls]);
      const client = await house.connect(cls);
      await client.send('bad\nafter\n');
      expect(await client.inbox.lineLike('after')).to.equal('after');
      expect(client.inbox.text).to.include('explained\n');
      expect(errors.map(({ during }) => during)).to.deep.equal(['message']);
      await house.servesOthers();
      expect(reasons).to.deep.equal([]);
    });
  }

  it('a stream that never ends is told when its peer leaves, and its connection is over', async () => {
    let returned = 0;
    const { cls, reasons } = answering(() => iterable(never, { return: () => Promise.resolve({ done: true, value: ++returned }) }));
    const house = await House.open([cls]);
    const client = await house.connect(cls);
    await client.send('bad\n');
    await house.servesOthers();
    client.reset();
    await waitFor(() => returned === 1);
    await house.servesOthers();
    expect(await house.close(100)).to.include({ graceful: true, connections: 0 });
    expect(reasons.map(({ by }) => by)).to.deep.equal(['peer']);
  });

  it('a stream whose return() never settles keeps nobody else waiting', async () => {
    const { cls } = answering(() => iterable(never, { return: never }));
    const house = await House.open([cls]);
    const client = await house.connect(cls);
    await client.send('bad\n');
    await house.servesOthers();
    client.reset();
    await house.servesOthers();
    expect(await house.close(100)).to.include({ graceful: true, connections: 0 });
  });

  const UNENCODABLE: Readonly<Record<string, () => unknown>> = {
    'a getter that throws': () => ({
      get secret() {
        return boom();
      },
    }),
    'a toJSON that throws': () => ({ toJSON: boom }),
    'a cycle': () => {
      const cycle: { self?: unknown } = {};
      cycle.self = cycle;
      return cycle;
    },
    'a BigInt': () => 1n,
    'a function': () => boom,
  };
  for (const [what, answer] of Object.entries(UNENCODABLE)) {
    it(`${what} in an answer is an EncodeError, and the connection lives`, async () => {
      const { cls, errors } = answering(answer, json());
      const house = await House.open([cls]);
      const client = await house.connect(cls);
      await client.send('"bad"\n"after"\n');
      expect(await client.lines(2)).to.deep.equal(['"explained"', '"after"']);
      expect(errors).to.deep.equal([{ name: 'EncodeError', during: 'encode' }]);
      await house.servesOthers();
    });
  }
});

describe('whatever is thrown', () => {
  const revoked = (): object => {
    const { proxy, revoke } = globalThis.Proxy.revocable({}, {});
    revoke();
    return proxy;
  };
  const THROWN: Readonly<Record<string, () => unknown>> = {
    nothing: () => undefined,
    'a symbol': () => Symbol('thrown'),
    'an object without a prototype': () => Object.create(null) as object,
    'an object whose toString throws': () => ({ toString: boom }),
    'a revoked proxy': revoked,
    'an Error whose message throws': () => Object.defineProperty(new Error('x'), 'message', { get: boom }),
    'an Error whose code throws': () => Object.defineProperty(new Error('x'), 'code', { get: boom }),
    'an Error whose name is a symbol': () => Object.defineProperty(new Error('x'), 'name', { value: Symbol('name') }),
  };
  for (const [what, make] of Object.entries(THROWN)) {
    for (const [how, fail] of [
      [
        'thrown',
        () => {
          throw make();
        },
      ],
      ['a rejection', () => Promise.reject(make())],
    ] as const) {
      it(`${what} (${how}) reaches @OnError as an Error, or closes its connection alone`, async () => {
        const { cls, errors } = answering(fail);
        @Connection({ listen: LOCAL, framing: lines() })
        class Unexplained {
          @OnData() data(): unknown {
            return fail();
          }
        }
        const house = await House.open([cls, Unexplained]);
        const client = await house.connect(cls);
        await client.send('bad\nafter\n');
        expect(await client.lines(2)).to.deep.equal(['explained', 'after']);
        expect(errors).to.deep.equal([{ name: 'Error', during: 'message' }]);
        const other = await house.connect(Unexplained);
        await other.send('x\n');
        expect(await other.all()).to.equal('');
        other.end();
        client.end();
        await house.servesOthers();
        expect(await house.close()).to.deep.equal(GRACEFUL);
      });
    }
  }
});

describe('a framing that breaks its promises', () => {
  const own: Framing<unknown, never> = lines();
  /** A decoder of lines, with one part broken. */
  const broken = (part: Partial<Record<keyof Decoder<unknown>, () => never>>): Framing<unknown> => ({
    ...own,
    decoder: limit => {
      const decoder = own.decoder(limit);
      const whole: Decoder<unknown> = { push: chunk => decoder.push(chunk), next: () => decoder.next(), rest: () => decoder.rest() };
      return Object.defineProperties(
        { ...whole },
        Object.fromEntries(Object.entries(part).map(([key, value]) => [key, key === 'pending' ? { get: value } : { value }])),
      ) as Decoder<unknown>;
    },
  });
  const BROKEN: Readonly<Record<string, Framing<unknown>>> = {
    'decoder()': { ...own, decoder: boom },
    'push()': broken({ push: boom }),
    'next()': broken({ next: boom }),
    pending: broken({ pending: boom }),
    'end()': broken({ end: boom }),
    'rest()': broken({ rest: boom }),
  };
  for (const [part, framing] of Object.entries(BROKEN)) {
    it(`and throws in ${part} ends its connection by error; others are served`, async () => {
      const { cls, reasons } = answering(boom, framing);
      const house = await House.open([cls]);
      const client = await house.connect(cls);
      await client.send('a line\nand half of one');
      client.end();
      await client.all();
      await waitFor(() => reasons.length === 1);
      expect(reasons[0]).to.include({ by: 'error', code: 'Boom' });
      await house.servesOthers();
      expect(await house.close()).to.deep.equal(GRACEFUL);
    });
  }

  it('and throws in encode() is an EncodeError; when @OnError’s answer cannot be encoded either, the connection ends', async () => {
    const { cls, errors, reasons } = answering(() => 'x', { ...own, encode: boom });
    const house = await House.open([cls]);
    const client = await house.connect(cls);
    await client.send('anything\n');
    expect(await client.all()).to.equal('');
    client.end();
    await waitFor(() => reasons.length === 1);
    expect(errors).to.deep.equal([{ name: 'EncodeError', during: 'encode' }]);
    expect(reasons[0]).to.include({ by: 'error', code: 'ERR_PACKET_ENCODE' });
    await house.servesOthers();
  });

  it('and refuses everything with a FramingError without a message ends its connection alone', async () => {
    const { cls, reasons } = answering(
      boom,
      broken({
        next: () => {
          throw new FramingError('');
        },
      }),
    );
    const house = await House.open([cls]);
    const client = await house.connect(cls);
    await client.send('x');
    expect(await client.all()).to.equal('explained\n');
    client.end();
    await waitFor(() => reasons.length === 1);
    expect(reasons[0]).to.include({ by: 'error', code: 'ERR_PACKET_FRAMING' });
    await house.servesOthers();
  });
});

describe('a provider', () => {
  for (const [how, fail] of Object.entries(FAILURES)) {
    it(`whose timer, stop or callback ${how.replace('answers', 'answered')} is logged, and the application runs on and closes`, async () => {
      using timers = new Events('timer.error');
      using hooks = new Events('hook.error');
      class Restless {
        constructor(@inject(Reactor) private readonly reactor: Reactor) {}
        @Every('10ms') protected tick(): unknown {
          return fail();
        }
        @OnStop() protected stop(): unknown {
          return fail();
        }
        begin(): void {
          this.reactor.nextTick(fail);
          this.reactor.after(1, fail);
          this.reactor.every('10ms', fail);
        }
      }
      const house = await House.open([], { providers: [Restless] });
      house.app.get(Restless).begin();
      await waitFor(() => timers.seen.length >= 5 && (hooks.seen.length >= 1 || how.startsWith('answers')));
      await house.servesOthers();
      expect(await house.close()).to.deep.equal(GRACEFUL);
      expect(hooks.seen.some(({ hook }) => hook === 'stop')).to.equal(true);
    });
  }

  it('whose @OnStop never settles is cut off at the deadline', async () => {
    class Endless {
      @OnStop() protected stop(): Promise<never> {
        return never();
      }
    }
    const house = await House.open([], { providers: [Endless] });
    await house.servesOthers();
    expect(await house.close(100)).to.include({ graceful: false, connections: 0 });
  });
});
