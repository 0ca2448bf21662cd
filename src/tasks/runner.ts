import { AsyncLocalStorage } from 'node:async_hooks';
import { emptyContext } from '../async-context.js';
import type { Clock } from '../clock.js';
import { BoundaryError, WorkerTimeoutError } from '../errors.js';
import { Kind, type CallMeta } from '../wire/link/protocol.js';
import type { Encoded, Link } from '../wire/link/types.js';
import { RunningCall } from './call.js';
import { RunQueue } from './call-queue.js';
import { CallContext, tooLate, type ContextHost } from './context.js';
import { CreditGate, type CreditGateOptions } from './streams/credit.js';
import { sendFailure } from '../wire/link/failure.js';
import { CreditKind, INITIAL_ROOM, sendCredit, type Room } from '../wire/link/credit.js';
import { IncomingStream } from './streams/incoming.js';
import { YieldedItems } from './streams/item-stream.js';
import type { StartedMark } from './started-mark.js';
import type { RunnableTask } from './task.js';
import { setImmediate } from '../system-timers.js';

/** Calls that one write of the mark may cover. All but the first may turn out not to have begun, when the process dies. */
const GROUP = 16;
/** Milliseconds: a turn that is older lets its replies out, and other events in, before the next task begins. */
const TURN = 1;
/** Replies are flushed early once this many are buffered and no more calls are queued than that: the master works while the rest run. */
const HALF = 16;
/** The largest time that REPLY can carry. */
const MOST_MICROSECONDS = 0xffff_ffff;

export interface RunnerOptions {
  readonly name: string;
  readonly key: string | undefined;
  readonly concurrency: number;
  readonly link: Link;
  readonly mark: StartedMark;
  readonly clock: Pick<Clock, 'now'>;
  /** Messages of contexts to the master, apart from events. */
  readonly context: Pick<ContextHost, 'encode' | 'status'>;
  /** How events behave that find no credit. */
  readonly gate: Pick<CreditGateOptions, 'lookForCredit' | 'maxWaiting'>;
  /** Something beside answers was given to the link. */
  onSent(): void;
}

/**
 * Executes calls: first come, first served, at most `concurrency` at once, each marked before it begins and settled exactly once.
 *
 * A synchronous task costs no promise: calls are begun in a loop, from the turn's first message until one of them has to wait,
 * or the turn is a millisecond old.
 */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #link: Link;
  readonly #mark: StartedMark;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #port: ContextHost;
  readonly #waiting = new RunQueue();
  /** Calls that a later message may be about: begun and not settled, or with something to stream in. */
  readonly #live = new Map<number, RunningCall>();
  #running = 0;
  /** Every call up to here is marked, up to there begun. */
  #marked = 0;
  #begun = 0;
  /** When a task last ended, or the loop last began: what the clock is asked for once per call. */
  #now = 0;
  /** When this turn's replies were last let out. */
  #flushed = 0;
  /** Calls settled since replies were last let out. */
  #unsent = 0;
  #looping = false;
  #scheduled = false;
  #reconsidering = false;
  #stopped = false;
  /** In which call the running code was begun; only where something asks, it makes every promise dearer. */
  #trace: AsyncLocalStorage<number> | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#link = options.link;
    this.#mark = options.mark;
    this.#clock = options.clock;
    this.#port = {
      ...options.context,
      worker: options.name,
      eventGate: call => this.#eventGate(call),
    };
  }

  get running(): number {
    return this.#running;
  }

  /** Tells from now on in which call code runs. */
  get trace(): AsyncLocalStorage<number> {
    return (this.#trace ??= new AsyncLocalStorage());
  }

  /** The call that the running code was begun in; 0: none, or nothing has asked for {@link trace}. */
  get current(): number {
    return this.#trace?.getStore() ?? 0;
  }

  accept(id: number, task: RunnableTask, input: unknown, meta: CallMeta | undefined, sends: boolean): void {
    if (this.#stopped) return;
    let incoming: IncomingStream | undefined;
    if (sends) {
      const { name: worker } = this.#options;
      const credit = (room: Room): void => sendCredit(this.#link, id, CreditKind.sends, room);
      incoming = new IncomingStream({ worker, task: task.name, validate: task.receives, credit });
    }
    const call = new RunningCall(id, task, input, meta, incoming);
    if (sends) this.#live.set(id, call);
    this.#waiting.push(call);
  }

  /** Calls have arrived. */
  burst(): void {
    this.#unsent = 0;
    this.run();
  }

  /** Begins what may begin. Called when calls have arrived, when one is settled, when the link takes bytes again. */
  run(): void {
    if (this.#looping || this.#scheduled) return;
    this.#looping = true;
    const began = (this.#now = this.#clock.now());
    this.#breathe();
    while (this.#running < this.#options.concurrency && !this.#link.isCongested) {
      if (this.#unsent >= HALF && this.#unsent >= this.#waiting.size && !this.#waiting.empty) this.#letOut();
      const call = this.#waiting.shift();
      if (!call) break;
      if (call.id > this.#marked) this.#markFrom(call);
      this.#begin(call);
      if (this.#now - began > TURN) {
        this.#yield();
        break;
      }
    }
    this.#looping = false;
    if (this.#marked > this.#begun && !this.#scheduled && !this.#reconsidering) this.#reconsider();
  }

  cancel(id: number, how: number): void {
    const live = this.#live.get(id);
    const begun = live !== undefined && live.phase !== 'waiting';
    const call = begun ? live : this.#waiting.find(id);
    if (!call) return;
    if (how === 1) {
      const { name: worker, key } = this.#options;
      call.abort(new WorkerTimeoutError({ worker, key, task: call.task.name }, call.task.softTimeout));
    } else if (begun) call.abandon();
    else {
      call.settle();
      this.#live.delete(id);
      this.#link.send(Kind.DROPPED, id, 0);
    }
  }

  credit(id: number, kind: number, room: Room): void {
    const call = this.#live.get(id);
    if (kind === CreditKind.items) call?.items?.give(room);
    else if (kind === CreditKind.events) call?.events?.give(room);
  }

  /** One item that the caller streams in, its end, or its failure. */
  incoming(id: number): IncomingStream | undefined {
    return this.#live.get(id)?.incoming;
  }

  /** Nothing begins any more; what runs may end. Calls that have not begun are not mentioned: the master knows that they cannot. */
  stop(): void {
    this.#stopped = true;
    for (let call = this.#waiting.shift(); call; call = this.#waiting.shift()) this.#live.delete(call.id);
  }

  /** The link is gone: signals abort. */
  close(): void {
    this.stop();
    for (const call of [...this.#live.values()]) call.abandon();
  }

  /** Marks this call, and with it the calls behind it that will be begun within the next millisecond or so. */
  #markFrom(call: RunningCall): void {
    this.#marked = call.task.isQuick ? this.#waiting.lastQuick(call, GROUP - 1) : call.id;
    this.#mark.begin(this.#marked);
  }

  /** A call that was thought quick makes others wait that are marked already: if it still does in the next turn, they are not begun. */
  #reconsider(): void {
    this.#reconsidering = true;
    setImmediate(() => {
      this.#reconsidering = false;
      if (this.#marked === this.#begun || this.#scheduled) return;
      this.#marked = this.#begun;
      this.#mark.begin(this.#begun);
    });
  }

  #begin(call: RunningCall): void {
    this.#running++;
    this.#begun = call.id;
    call.phase = 'running';
    call.began = this.#now;
    // Begun behind another call, or by its end: what that has entered must not be seen here.
    emptyContext().runInAsyncScope(this.#enter, this, call);
  }

  #enter(call: RunningCall): void {
    if (this.#trace) this.#trace.run(call.id, each => this.#invoke(each), call);
    else this.#invoke(call);
  }

  #invoke(call: RunningCall): void {
    const { task } = call;
    try {
      let { input } = call;
      if (task.input) {
        const verdict = task.input(input);
        if (verdict.issues) throw new BoundaryError({ worker: this.#options.name, task: task.name, direction: 'input', ...verdict });
        input = verdict.value;
      }
      const result = task.invoke(input, task.context ? new CallContext(call, this.#port) : undefined);
      if (isThenable(result)) this.#await(call, result);
      else if (task.isStream) this.#stream(call, result);
      else this.#reply(call, result);
    } catch (error) {
      this.#fail(call, error);
    }
  }

  #await(call: RunningCall, result: PromiseLike<unknown>): void {
    this.#live.set(call.id, call);
    Promise.resolve(result).then(
      value => {
        if (call.task.isStream) this.#stream(call, value);
        else this.#reply(call, value);
        this.run();
      },
      (error: unknown) => {
        this.#fail(call, error);
        this.run();
      },
    );
  }

  #stream(call: RunningCall, result: unknown): void {
    this.#live.set(call.id, call);
    try {
      call.items = new YieldedItems(
        result,
        INITIAL_ROOM.items,
        call.task.yields,
        { worker: this.#options.name, task: call.task.name },
        {
          item: value => {
            const bytes = this.#link.sendValue(Kind.ITEM, call.id, 0, value, 'item');
            this.#now = this.#clock.now();
            this.#breathe();
            this.#options.onSent();
            return bytes;
          },
          onEnded: () => {
            this.#now = this.#clock.now();
            this.#settle(call, () => this.#link.send(Kind.END, call.id, 0));
            this.run();
          },
          onFailed: reason => {
            this.#fail(call, reason);
            this.run();
          },
        },
      );
      if (call.isAbandoned) call.items.leave();
    } catch (error) {
      this.#fail(call, error);
    }
  }

  #reply(call: RunningCall, value: unknown): void {
    const { task } = call;
    try {
      const verdict = call.isAbandoned ? undefined : task.output?.(value);
      if (verdict?.issues) throw new BoundaryError({ worker: this.#options.name, task: task.name, direction: 'output', ...verdict });
      // The clock is asked once per call, here: what it takes to write the answer counts for the next one.
      this.#now = this.#clock.now();
      const took = Math.min((this.#now - call.began) * 1000, MOST_MICROSECONDS);
      if (call.events?.waiting) {
        const encoded = this.#port.encode(value, 'output');
        return this.#settle(call, () => this.#link.sendEncoded(Kind.REPLY, call.id, took, encoded));
      }
      if (value === undefined || call.isAbandoned) this.#link.send(Kind.REPLY, call.id, took);
      else this.#link.sendValue(Kind.REPLY, call.id, took, value, 'output');
    } catch (error) {
      return this.#fail(call, error);
    }
    this.#settled(call);
  }

  #fail(call: RunningCall, reason: unknown): void {
    this.#now = this.#clock.now();
    this.#settle(call, () => sendFailure(this.#link, call.id, reason));
  }

  /** Sends what settles a call, behind the events that its task has emitted. */
  #settle(call: RunningCall, send: () => void): void {
    if (!call.events?.waiting) {
      send();
      return this.#settled(call);
    }
    call.phase = 'answering';
    call.events.whenSent(() => {
      send();
      this.#settled(call);
      this.run();
    });
  }

  #settled(call: RunningCall): void {
    call.task.isQuick = this.#now - call.began < TURN;
    call.events?.close(() => tooLate(this.#options.name, call.task.name));
    call.settle();
    this.#live.delete(call.id);
    this.#running--;
    this.#unsent++;
  }

  #eventGate(call: RunningCall): CreditGate {
    // Credit for it is looked up there, also while the task holds the loop.
    this.#live.set(call.id, call);
    const { gate, onSent: said, name } = this.#options;
    const send = (encoded: Encoded): void => {
      this.#link.sendEncoded(Kind.EVENT, call.id, 0, encoded);
      said();
    };
    return new CreditGate(INITIAL_ROOM.events, { ...gate, send, what: `events of ${name}.${call.task.name}` });
  }

  #letOut(): void {
    this.#flushed = this.#now;
    this.#unsent = 0;
    this.#link.flush();
  }

  /** Lets out what has been said so far, if that is older than a turn should be. */
  #breathe(): void {
    if (this.#now - this.#flushed > TURN) this.#letOut();
  }

  /** Goes on in the next turn of the event loop: a cancellation, a ping, a timer of the worker's own come in between. */
  #yield(): void {
    this.#letOut();
    if (this.#waiting.empty) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.run();
    });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
