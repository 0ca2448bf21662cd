import { asError, ProtocolError, UsageError, WorkerBusyError, WorkerNotFoundError } from '../../errors.js';
import { carrierSize, isCarrier, MOST_CARRIER } from '../../decorators/carrier.js';
import { sendFailure } from '../../wire/link/failure.js';
import { Kind, MOST_NAME, type NestedCallMessage } from '../../wire/link/protocol.js';
import type { Body, Link } from '../../wire/link/types.js';
import { carrierOf } from '../call/call-tracing.js';
import type { Call, CallSettings } from '../call/call.js';
import { RelayedStream } from '../call/relayed-stream.js';
import { Owner, type Owned, type Caller } from '../call/owner.js';
import type { WorkerRoute } from '../route.js';
import { CreditKind, INITIAL_ROOM, readCredit, SendCredit, sendCredit, WIDEST, type Room } from '../../wire/link/credit.js';
import type { ChannelPort, ChannelRouter } from '../../channels/channel-router.js';
import type { InFlightCalls } from './in-flight.js';

/** Where a worker's calls to other workers go. */
export interface Directory {
  /** The started worker of that name; undefined: there is none of that name in this application. */
  lookUp(worker: string, key: string | undefined): NestedRoute | undefined;
  /** Passes items of channels on. */
  readonly channels?: ChannelRouter | undefined;
}

/** Way to one worker, for calls that tasks make. */
export type NestedRoute = Pick<WorkerRoute, 'call' | 'ask'>;

/** The process that makes them. */
export interface NestedCallContext {
  readonly link: Link;
  /** The calls that the process has. */
  readonly inFlight: Pick<InFlightCalls, 'get' | 'setBlocked' | 'unread'>;
  readonly name: string;
  readonly key: string | undefined;
  readonly pid: number;
  /** Where calls go that are made in the task of this one, if not to this application's workers. */
  readonly directoryOf?: ((parent: Call) => Directory | undefined) | undefined;
  /** Bytes of one value, at most; Infinity or 0: any. */
  readonly maxMessageSize: number;
}

/** Open nested calls per process, and bytes of their inputs (or four of the largest); further ones are refused. */
const MOST_OPEN = 5_000;
const MOST_BROUGHT = 64 * 1024 * 1024;
/** Bytes of unread answers (or four of the largest) at which the process is killed. */
const MOST_UNREAD = 256 * 1024 * 1024;
/** Unread bytes at which a process is killed that calls on although it is refused. */
const MOST_REFUSALS = 8 * 1024 * 1024;

/** NESTED_CALL's arg. */
const HOW = ['task', 'ask', 'tell'] as const;

const NOT_READ = 'it calls other workers and does not read their answers: ask for fewer at once';

function parse(value: unknown): NestedCallMessage {
  const message = (value ?? {}) as Partial<Record<keyof NestedCallMessage, unknown>>;
  const text = (field: unknown): boolean => field === undefined || (typeof field === 'string' && field.length <= MOST_NAME);
  const count = (field: unknown): boolean => field === undefined || (typeof field === 'number' && field >= 0);
  const fits =
    typeof message.worker === 'string' &&
    [message.worker, message.key, message.task, message.affinity, message.caller].every(text) &&
    [message.parent, message.timeout].every(count) &&
    (message.sends === undefined || typeof message.sends === 'boolean') &&
    (message.carrier === undefined || isCarrier(message.carrier));
  if (!fits) throw new ProtocolError('a call to another worker that names none');
  return value as NestedCallMessage;
}

/** The caller that a call of a process is in the queue, and with which others that one has its turn. */
interface NestedTurn {
  readonly id: string;
  readonly group: string | undefined;
}

/** One call that the process made. Its owner is its own, so that it is aborted alone. */
class OpenNestedCall implements Owned {
  readonly owner: Owner;
  readonly inputStream: RelayedStream | undefined;
  /** Bytes that it brought. */
  readonly size: number;
  readonly #id: number;
  readonly #link: Link;
  readonly #mostUnread: number;
  /** Items and events that the process can take. */
  readonly #items = new SendCredit(INITIAL_ROOM.items);
  readonly #events = new SendCredit(INITIAL_ROOM.events);
  readonly #waitingItems: (() => void)[] = [];
  readonly #waitingEvents: (() => void)[] = [];
  #iterator: AsyncIterator<unknown> | undefined;
  /** The process wants no more of it: there will be no more credit to wait for. */
  #isUnwanted = false;
  isOver = false;

  constructor(
    id: number,
    size: number,
    { link, inFlight, maxMessageSize }: NestedCallContext,
    { id: ownerId, group }: NestedTurn,
    caller: Caller,
    sends: boolean,
  ) {
    this.#id = id;
    this.size = size;
    this.#link = link;
    this.#mostUnread = Math.max(MOST_UNREAD, 4 * (maxMessageSize || Infinity));
    const host = {
      grant: (room: Room) => sendCredit(link, id, CreditKind.sends, room),
      reportOffence: (error: Error) => link.destroy(error),
    };
    this.inputStream = sends ? new RelayedStream(inFlight.unread, host) : undefined;
    this.owner = new Owner('task', ownerId, caller, { onEvent: (_worker, name, payload) => this.#event(name, payload) }, ownerId, group);
  }

  abort(reason: unknown): void {
    this.owner.abort(reason);
    this.inputStream?.close();
    this.#isUnwanted = true;
    this.#goOn();
  }

  /** The process has left the stream. */
  leave(): void {
    void this.#iterator?.return?.();
    this.#isUnwanted = true;
    this.#goOn();
  }

  /** Throws ProtocolError for more than it was sent: what it does not read must not gather here. */
  grant(kind: number, room: Room): void {
    if (kind === CreditKind.items) {
      this.#items.give(room, WIDEST);
      this.#goOn();
    } else if (kind === CreditKind.events) {
      this.#events.give(room, INITIAL_ROOM.events);
      for (const go of this.#waitingEvents.splice(0, room.count)) go();
    } else throw new ProtocolError('credit for what it does not receive');
  }

  /** Sends on what becomes of it. Resolves when it is over; never rejects. */
  async answer(result: unknown): Promise<void> {
    try {
      if (result !== null && typeof result === 'object' && Symbol.asyncIterator in result) {
        await this.#forward(result as AsyncIterable<unknown>);
        this.#link.send(Kind.END, this.#id, 0);
      } else this.#say(Kind.REPLY, await result);
    } catch (error) {
      this.#fail(asError(error));
    }
    this.isOver = true;
    this.inputStream?.close();
    for (const go of this.#waitingEvents.splice(0)) go();
  }

  #say(kind: number, value: unknown): number {
    const bytes = this.#link.sendValue(kind, this.#id, 0, value);
    this.#look();
    return bytes;
  }

  /** Kills the process if its unread answers are too many bytes. */
  #look(): void {
    if (this.#link.bufferedBytes > this.#mostUnread) this.#link.destroy(new ProtocolError(NOT_READ));
  }

  #fail(error: Error): void {
    sendFailure(this.#link, this.#id, error);
    this.#look();
  }

  #goOn(): void {
    for (const go of this.#waitingItems.splice(0)) go();
  }

  async #forward(items: AsyncIterable<unknown>): Promise<void> {
    const iterator = (this.#iterator = items[Symbol.asyncIterator]());
    for (;;) {
      while (!this.#items.open && !this.#isUnwanted) await new Promise<void>(resolve => this.#waitingItems.push(resolve));
      const { done, value } = await iterator.next();
      if (done) return;
      this.#items.spend(this.#say(Kind.ITEM, value));
    }
  }

  #event(name: string, payload: unknown): Promise<void> | void {
    if (this.isOver) return;
    this.#events.spend(this.#say(Kind.EVENT, [name, payload]));
    if (this.#events.open) return;
    // The asking process has no credit left: the emitting task waits.
    return new Promise<void>(resolve => this.#waitingEvents.push(resolve));
  }
}

/** The calls that one process makes to other workers, through the master. */
export class NestedCalls {
  readonly #context: NestedCallContext;
  readonly #directory: Directory;
  readonly #calls = new Map<number, OpenNestedCall>();
  /** Bytes that the calls brought. */
  #brought = 0;
  readonly #mostBrought: number;
  #closed = false;
  /** Channels that it publishes on and subscribes to. */
  readonly #channels: ChannelPort | undefined;

  constructor(context: NestedCallContext, directory: Directory) {
    this.#context = context;
    this.#mostBrought = Math.max(MOST_BROUGHT, 4 * (context.maxMessageSize || Infinity));
    this.#directory = directory;
    this.#channels = directory.channels?.attach(context.link);
  }

  message(kind: number, id: number, arg: number, body: Body): void {
    if (kind === Kind.NESTED_CALL) return this.#make(id, arg, body);
    if (kind === Kind.PUBLISH || kind === Kind.SUBSCRIBE) return this.#channels?.message(kind, arg, body);
    const call = this.#calls.get(id);
    // Messages about a call may cross its answer.
    if (!call) return;
    if (kind === Kind.CANCEL) {
      if (arg === 2) call.leave();
      else call.abort(undefined);
    } else if (kind === Kind.CREDIT) {
      const { kind: of, ...room } = readCredit(arg, body);
      call.grant(of, room);
    } else if (kind === Kind.ITEM && arg === 1 && call.inputStream) call.inputStream.push(body);
    else if (kind === Kind.END && arg === 1 && call.inputStream) call.inputStream.end();
    else throw new ProtocolError(`message ${kind} about a call of its own`);
  }

  /** The process has exited: its nested calls have no process any more. */
  close(): void {
    this.#closed = true;
    this.#channels?.close();
    for (const call of [...this.#calls.values()]) call.abort(new Error('the process that made this call is gone'));
  }

  #make(id: number, arg: number, body: Body): void {
    const how = HOW[arg];
    if (this.#calls.has(id) || how === undefined) throw new ProtocolError('a call to another worker that is no new one');
    const message = parse(body.value());
    if (this.#calls.size >= MOST_OPEN || (this.#brought > 0 && this.#brought + body.length > this.#mostBrought))
      return this.#refuse(id, message);
    const { name, key } = this.#context;
    const parent = message.parent === undefined ? undefined : this.#context.inFlight.get(message.parent);
    const caller: Caller = { connection: parent?.owner.caller.connection, worker: { name, key } };
    const call = new OpenNestedCall(id, body.length, this.#context, this.#turnOf(parent), caller, message.sends === true);
    this.#calls.set(id, call);
    this.#brought += body.length;
    if (parent) {
      (parent.children ??= new Set()).add(call);
      this.#context.inFlight.setBlocked(parent, true);
    }
    void call.answer(this.#start(message, how, call, parent)).then(() => {
      this.#calls.delete(id);
      this.#brought -= call.size;
      if (!parent) return;
      parent.children?.delete(call);
      if (!parent.children?.size) this.#context.inFlight.setBlocked(parent, false);
    });
    if (this.#closed) call.abort(undefined);
  }

  /**
   * Whose turn a call takes: one of its own for each caller that the process works for, so that it delays neither that caller's own calls
   * nor others by more than a turn; those of one address share one, as they do where the process's own calls come from. Callers that the process names take turns within that one.
   */
  #turnOf(parent: Call | undefined): NestedTurn {
    const { name, key, pid } = this.#context;
    const self = `worker:${name}${key === undefined ? '' : `:${key}`}:${pid}`;
    // A call that waits there has made none.
    if (parent === undefined || parent.began < 0) return { id: self, group: undefined };
    return { id: `${parent.caller} via ${self}`, group: parent.group && `${parent.group} via ${self}` };
  }

  /** Refuses cheaply: a process that floods the master gets an error without a stack, and no call is made. */
  #refuse(id: number, { worker, key, task = 'ask' }: NestedCallMessage): void {
    const { link } = this.#context;
    if (link.bufferedBytes > MOST_REFUSALS) throw new ProtocolError(NOT_READ);
    const error = new WorkerBusyError({ worker, key, task }, 'maxQueuePerCaller', this.#calls.size);
    error.stack = `${error.name}: ${error.message}`;
    sendFailure(link, id, error);
  }

  #start(
    message: NestedCallMessage,
    how: (typeof HOW)[number],
    { owner, inputStream: inflow }: OpenNestedCall,
    parent: Call | undefined,
  ): unknown {
    const { worker, key, task, input, timeout, affinity, caller, carrier } = message;
    const directory = (parent && this.#context.directoryOf?.(parent)) ?? this.#directory;
    const route = directory.lookUp(worker, key);
    if (!route) return Promise.reject(new WorkerNotFoundError(worker, key, 'this application has no worker of that name'));
    const whole = carrier && parent && carrierSize({ ...carrierOf(parent), ...carrier });
    if (whole !== undefined && whole > MOST_CARRIER)
      return Promise.reject(
        new UsageError(`${worker}.${task ?? how}(): carrier has ${whole} bytes with what it inherits: it may have ${MOST_CARRIER}`),
      );
    const settings: CallSettings = { timeout, affinity, caller, carrier, send: inflow };
    // A tell has no answer: the asking process itself drops what comes.
    return how === 'task' ? route.call(task ?? '', input, settings, owner, parent) : route.ask(input, settings, owner, parent);
  }
}
