import { expect } from 'chai';
import { ProtocolError } from '../../../src/errors.js';
import { TooManyPartsError } from '../../../src/wire/codec/dear-values.js';
import { CreditKind } from '../../../src/wire/link/credit.js';
import { Kind, MOST_STATUS, MOST_STRAY, PROTOCOL_VERSION, UPWARD } from '../../../src/wire/link/protocol.js';
import type { Body } from '../../../src/wire/link/types.js';
import { ProtocolGuard, type ProtocolGuardHost } from '../../../src/workers/process/protocol-guard.js';
import { blueprint, tasks } from '../support/blueprint.js';

const names = tasks.map(({ name }) => name);
const HELLO = { version: PROTOCOL_VERSION, name: 'fixture', tasks: names, context: names.map(() => false), mail: false };

const bodyOf = (value?: unknown, length = value === undefined ? 0 : 8): Body => ({
  length,
  value: () => value,
  take: () => Buffer.alloc(length),
});

interface FakeCall {
  readonly id: number;
  isStream: boolean;
  isSettled: boolean;
  cancelled: number;
  hasEvidence: boolean;
  events: object | undefined;
  sender: object | undefined;
}

/** A guard whose host notes what it is told, with two calls in flight: 1 answers once, 2 is a stream. */
function guarded(phase: 'booting' | 'starting' | 'working' = 'working', isRemote = false) {
  const journal: unknown[][] = [];
  const note =
    (what: string, answer?: unknown) =>
    (...given: unknown[]): unknown => {
      journal.push([what, ...given]);
      return answer;
    };
  const callOf = (id: number, isStream: boolean): FakeCall & Record<string, unknown> => ({
    id,
    isStream,
    isSettled: false,
    cancelled: -1,
    hasEvidence: false,
    events: undefined,
    sender: undefined,
    target: { worker: { name: 'fixture' }, name: 'run' },
    spendLarge: () => 'large',
    onAnswer: (body: Body, arg: number) => void journal.push(['answer', body.value(), arg]),
    onItem: (_: Body, now: number, unread: unknown) => void journal.push(['item', now, unread]),
    onEnd: note('end'),
    fail: note('fail'),
  });
  const calls = new Map([1, 2].map(id => [id, callOf(id, id === 2)]));
  const inFlight = {
    failed: 0,
    done: 0,
    unread: 'unread',
    now: () => 77,
    beginBurst: note('begin burst'),
    endBurst: note('end burst', true),
    find: (id: number) => calls.get(id),
    expect: (id: number) => {
      const call = calls.get(id);
      if (!call) throw new ProtocolError(`call ${id}`);
      return call;
    },
    onAnswer: note('answered'),
    release: ({ id }: FakeCall) => void journal.push(['release', id]),
    restartDeadline: ({ id }: FakeCall) => void journal.push(['restart deadline', id]),
    eventReceiver: () => ({ receive: (_: Body, what: string) => void journal.push(['event', what]), close: note('close events') }),
  };
  const host = {
    inFlight,
    stackLine: 'line',
    onReady: note('ready'),
    onBootFailure: (error: Error, permanent: boolean) => void journal.push(['boot failure', error.message, permanent]),
    onPong: note('pong'),
    onStatus: note('status'),
    sockets: { onAck: note('socket ack'), onClosed: note('socket closed'), onDrained: note('sockets drained') },
    onConnectionCounts: note('connections'),
    onListening: note('listening'),
    records: { receive: (id: number, arg: number) => void journal.push(['record', id, arg]) },
    profiles: { receive: (id: number, arg: number) => void journal.push(['profile', id, arg]) },
    onUnsolicited: (body: Body) => void journal.push(['message', body.value()]),
    onUncaughtError: (error: Error, fatal: boolean, size: number) => void journal.push(['uncaught', error.message, fatal, size]),
    onNestedCallMessage: (kind: number, id: number, arg: number) => void journal.push(['nested', kind, id, arg]),
    drain: note('drain'),
    onBurst: note('burst'),
    onDrained: note('drained'),
    onLinkClosed: note('closed'),
  };
  const guard = new ProtocolGuard(blueprint(), host as unknown as ProtocolGuardHost, isRemote ? note('remote exit') : undefined);
  if (phase !== 'booting') guard.onMessage(Kind.HELLO, 0, 0, bodyOf(HELLO));
  if (phase === 'working') guard.onMessage(Kind.READY, 0, 0, bodyOf());
  journal.length = 0;
  const say = (kind: number, id = 0, arg = 0, body = bodyOf()): unknown[][] => {
    journal.length = 0;
    guard.onMessage(kind, id, arg, body);
    return journal.filter(([what]) => what !== 'begin burst');
  };
  return { guard, journal, say, inFlight, call: calls.get(1)!, stream: calls.get(2)! };
}

const creditArg = (kind: number, count = 3): number => (kind << 24) | count;

describe('the guard of what a process sends', () => {
  it('learns from HELLO where its tasks are, which look at their context, and whether its mailbox does', () => {
    const { say } = guarded('booting');
    const reversed = names.toReversed();
    say(Kind.HELLO, 0, 0, bodyOf({ ...HELLO, tasks: reversed, context: reversed.map(name => (name === 'text' ? true : 1)), mail: true }));
    expect(say(Kind.READY)).to.deep.equal([
      ['ready', names.map((_, index) => names.length - 1 - index), names.map(name => name === 'text'), true],
    ]);
    const other = guarded('booting');
    other.say(Kind.HELLO, 0, 0, bodyOf({ ...HELLO, mail: 1 }));
    expect(other.say(Kind.READY)[0]!.at(-1)).to.equal(false);
  });

  for (const [what, hello, message] of [
    ['speaks another version', { ...HELLO, version: 1 }, 'version 1 of the protocol'],
    ['says nothing', null, 'version undefined'],
    ['is another worker', { ...HELLO, name: 'other' }, 'names no worker'],
    ['has no list of tasks', { ...HELLO, tasks: 'run' }, 'names no worker'],
    ['has no list of contexts', { ...HELLO, context: undefined }, 'names no worker'],
    ['lacks a task', { ...HELLO, tasks: names.slice(1) }, `no task ${names[0]}`],
  ] as const)
    it(`breaks the link of a process whose HELLO ${what}`, () => {
      expect(() => guarded('booting').say(Kind.HELLO, 0, 0, bodyOf(hello))).to.throw(ProtocolError, message);
    });

  it('takes nothing but HELLO and the failure of the start before HELLO', () => {
    for (const kind of Object.values(Kind).filter(each => each !== Kind.HELLO && each !== Kind.FAILURE)) {
      expect(() => guarded('booting').say(kind, 1), `kind ${kind}`).to.throw(ProtocolError, `message ${kind} before HELLO`);
      expect(() => guarded('booting').say(kind, UPWARD + 1), `kind ${kind}`).to.throw(ProtocolError, 'before HELLO');
    }
    expect(guarded('booting').say(Kind.FAILURE, 0, 1, bodyOf(new Error('no')))).to.deep.equal([['boot failure', 'no', true]]);
  });

  it('takes nothing about calls before READY, and the failure of the start only before it', () => {
    for (const kind of [Kind.REPLY, Kind.ITEM, Kind.END, Kind.CREDIT, Kind.DROPPED, Kind.EVENT, Kind.PONG])
      expect(() => guarded('starting').say(kind, 1), `kind ${kind}`).to.throw(ProtocolError, `message ${kind} before READY`);
    expect(() => guarded('starting').say(Kind.FAILURE, 1, 0, bodyOf(new Error('no')))).to.throw(ProtocolError, 'FAILURE before READY');
    expect(guarded('starting').say(Kind.FAILURE, 0, 0, bodyOf(new Error('no')))).to.deep.equal([['boot failure', 'no', false]]);
    expect(() => guarded().say(Kind.FAILURE, 0, 0, bodyOf(new Error('no')))).to.throw(ProtocolError, 'after READY');
    expect(guarded('starting').say(Kind.STATUS, 0, 0, bodyOf('well'))).to.deep.equal([['status', 'well']]);
    expect(guarded('starting').say(Kind.NESTED_CALL, UPWARD, 2)).to.deep.equal([['nested', Kind.NESTED_CALL, UPWARD, 2]]);
  });

  it('takes HELLO and READY once', () => {
    expect(() => guarded('starting').say(Kind.HELLO, 0, 0, bodyOf(HELLO))).to.throw(ProtocolError, 'a second HELLO');
    expect(() => guarded().say(Kind.READY)).to.throw(ProtocolError, 'a second READY');
  });

  it('passes on each message to the one part that it is for', () => {
    const { say } = guarded('working', true);
    const error = bodyOf(new Error('oops'), 9);
    const cases: [kind: number, id: number, arg: number, body: Body, heard: unknown[]][] = [
      [Kind.STATUS, 0, 0, bodyOf('well'), ['status', 'well']],
      [Kind.CONNECTIONS, 2, 5, bodyOf(), ['connections', 5, 2]],
      [Kind.SOCKET_ACK, 3, 1, bodyOf(), ['socket ack', 3, 1]],
      [Kind.SOCKET_CLOSED, 3, 0, bodyOf(), ['socket closed', 3]],
      [Kind.DRAINED, 0, 2, bodyOf(), ['sockets drained', 2]],
      [Kind.LISTENS, 0, 0, bodyOf('place'), ['listening', 'place']],
      [Kind.STRAY, 0, 1, error, ['uncaught', 'oops', true, 9]],
      [Kind.STRAY, 0, 0, error, ['uncaught', 'oops', false, 9]],
      [Kind.LOG, 4, 30, bodyOf(), ['record', 4, 30]],
      [Kind.PROFILE, 4, 2, bodyOf(), ['profile', 4, 2]],
      [Kind.PONG, 0, 8, bodyOf(), ['pong', 8]],
      [Kind.LEAVE, 0, 0, bodyOf(), ['drain']],
      [Kind.ENDED, 0, 0, bodyOf('gone'), ['remote exit', 'gone']],
      [Kind.MESSAGE, 0, 0, bodyOf('m'), ['message', 'm']],
      [Kind.REPLY, UPWARD, 1, bodyOf(), ['nested', Kind.REPLY, UPWARD, 1]],
    ];
    for (const [kind, id, arg, body, heard] of cases) expect(say(kind, id, arg, body)).to.deep.equal([heard]);
  });

  it('refuses what only masters send, kinds that do not exist, and ends of processes from a process', () => {
    for (const kind of [Kind.BOOT, Kind.CALL, Kind.CANCEL, Kind.PING, Kind.STOP, Kind.SOCKET, Kind.META, Kind.LOG_LEVEL, 0, 200])
      expect(() => guarded().say(kind), `kind ${kind}`).to.throw(ProtocolError, 'which a worker never sends');
    expect(() => guarded().say(Kind.ENDED)).to.throw(ProtocolError, 'and is one itself');
  });

  it('bounds a status and an uncaught error by their bytes', () => {
    const { say } = guarded();
    expect(say(Kind.STATUS, 0, 0, bodyOf('s', MOST_STATUS))).to.have.length(1);
    expect(() => say(Kind.STATUS, 0, 0, bodyOf('s', MOST_STATUS + 1))).to.throw(ProtocolError, `which may have ${MOST_STATUS}`);
    expect(say(Kind.STRAY, 0, 0, bodyOf('s', MOST_STRAY))).to.have.length(1);
    expect(() => say(Kind.STRAY, 0, 0, bodyOf('s', MOST_STRAY + 1))).to.throw(ProtocolError, `which may have ${MOST_STRAY}`);
  });

  it('delivers an answer behind the events before it, and frees its slot', () => {
    const { say, journal, call } = guarded();
    call.events = { flush: () => journal.push(['flush events']) };
    expect(say(Kind.REPLY, 1, 42, bodyOf('value'))).to.deep.equal([
      ['flush events'],
      ['answer', 'value', 42],
      ['answered', 42, 'large'],
      ['release', 1],
    ]);
    expect(journal[0]).to.deep.equal(['begin burst']);
  });

  it('fails a call alone whose answer has too many parts, and breaks the link for bytes that are no value', () => {
    const { say, call } = guarded();
    const answers = (error: Error) => (): never => {
      throw error;
    };
    call['onAnswer'] = answers(new TooManyPartsError(10, 'objects'));
    expect(say(Kind.REPLY, 1).map(([what]) => what)).to.deep.equal(['fail', 'answered', 'release']);
    call['onAnswer'] = answers(new ProtocolError('no such tag'));
    expect(() => say(Kind.REPLY, 1)).to.throw(ProtocolError, 'no such tag');
  });

  it('refuses one answer to a stream, and items and an end of what is none', () => {
    const { say, call, stream } = guarded();
    expect(() => say(Kind.REPLY, 2)).to.throw(ProtocolError, 'call 2, which is a stream, at once');
    expect(() => say(Kind.ITEM, 2, 1)).to.throw(ProtocolError, "an item of the caller's own stream for call 2");
    expect(() => say(Kind.END, 1)).to.throw(ProtocolError, 'the end of a stream that call 1 does not have');
    expect(() => say(Kind.END, 2, 1)).to.throw(ProtocolError, 'the end of a stream that call 2 does not have');
    for (const kind of [Kind.REPLY, Kind.ITEM, Kind.END, Kind.DROPPED]) expect(() => say(kind, 9), `kind ${kind}`).to.throw('call 9');
    expect(() => say(Kind.FAILURE, 9, 0, bodyOf(new Error('no')))).to.throw('call 9');
    expect([call.hasEvidence, stream.hasEvidence]).to.deep.equal([false, false]);
  });

  it('passes on the items and the end of a stream', () => {
    const { say, journal, stream, inFlight } = guarded();
    expect(say(Kind.ITEM, 2)).to.deep.equal([
      ['item', 77, 'unread'],
      ['restart deadline', 2],
    ]);
    stream.events = { flush: () => journal.push(['flush events']) };
    expect(say(Kind.END, 2)).to.deep.equal([['flush events'], ['end'], ['release', 2]]);
    expect(inFlight.done).to.equal(1);
  });

  it('fails a call with the error that its task threw, made where its process stands', () => {
    const { say, journal, call, inFlight } = guarded();
    call.events = { flush: () => journal.push(['flush events']) };
    const error = new RangeError('no');
    expect(say(Kind.FAILURE, 1, 0, bodyOf(error))).to.deep.equal([['flush events'], ['fail', error, 'line'], ['release', 1]]);
    expect([call.hasEvidence, inFlight.failed]).to.deep.equal([true, 1]);
    call.isSettled = true;
    call.events = undefined;
    expect(say(Kind.FAILURE, 1, 0, bodyOf(error)), 'the caller gave up before').to.deep.equal([['release', 1]]);
  });

  it('frees the slot of a call that was dropped, if it was cancelled', () => {
    const { say, call } = guarded();
    expect(() => say(Kind.DROPPED, 1)).to.throw(ProtocolError, 'drops call 1, which was not cancelled');
    call.cancelled = 0;
    expect(say(Kind.DROPPED, 1)).to.deep.equal([['release', 1]]);
  });

  it('passes on events, closes those of a call that has settled, and forgives those of one that is over', () => {
    const { say, call } = guarded();
    expect(say(Kind.EVENT, 1)).to.deep.equal([['event', 'an event of call 1']]);
    expect(call.hasEvidence).to.equal(true);
    const receiver = call.events;
    call.isSettled = true;
    expect(say(Kind.EVENT, 1)).to.deep.equal([['close events'], ['event', 'an event of call 1']]);
    expect(call.events).to.equal(receiver);
    expect(say(Kind.EVENT, 9)).to.deep.equal([]);
  });

  it('takes credit only for what it sends, of a call that sends something, and forgives that of one that is over', () => {
    const { say, call } = guarded();
    expect(say(Kind.CREDIT, 9, creditArg(CreditKind.sends), bodyOf(5))).to.deep.equal([]);
    expect(() => say(Kind.CREDIT, 1, creditArg(CreditKind.sends), bodyOf(5))).to.throw(ProtocolError, 'call 1, which sends nothing');
    for (const kind of [CreditKind.items, CreditKind.events, CreditKind.messages, 9])
      expect(() => say(Kind.CREDIT, 9, creditArg(kind), bodyOf(5)), `kind ${kind}`).to.throw(ProtocolError, 'what it does not receive');
    const granted: unknown[] = [];
    call.sender = { grant: (room: unknown) => granted.push(room) };
    say(Kind.CREDIT, 1, creditArg(CreditKind.sends), bodyOf(5));
    expect(granted).to.deep.equal([{ count: 3, bytes: 5 }]);
    expect(call.hasEvidence).to.equal(true);
  });

  it('tells of bursts, and whether they freed slots, of a drained and of a closed link', () => {
    const { guard, journal } = guarded();
    const error = new Error('gone');
    guard.onBurst();
    guard.onDrained();
    guard.onClosed(error);
    expect(journal).to.deep.equal([['end burst'], ['burst', true], ['drained'], ['closed', error]]);
  });
});
