import process from 'node:process';
import type { Duplex } from 'node:stream';
import { guard } from '../guard.js';
import { realClock, type Clock } from '../clock.js';
import { ClosingError, MessageTooLargeError, ProtocolError, TaskNotFoundError } from '../errors.js';
import { encodeValue } from '../wire/codec/codec.js';
import { openLink } from '../wire/link/link.js';
import { CreditKind, INITIAL_ROOM, readCredit } from '../wire/link/credit.js';
import {
  CallFlag,
  Kind,
  MOST_STATUS,
  PROTOCOL_VERSION,
  UPWARD,
  type BootMessage,
  type CallMeta,
  type HelloMessage,
  type SocketMessage,
} from '../wire/link/protocol.js';
import type { Body, Encoded, Link, LinkReceiver } from '../wire/link/types.js';
import type { SocketQueue } from './sockets/socket-queue.js';
import { TokenBucket } from './allowance.js';
import { CreditGate } from './streams/credit.js';
import { HeldMessages } from './held-messages.js';
import { SocketReceiver } from './sockets/socket-receiver.js';
import { sendFailure, sendStray } from '../wire/link/failure.js';
import { LinkCarrier } from '../channels/link-carrier.js';
import { LatestStatus } from './latest-status.js';
import type { StartedMark } from './started-mark.js';
import { Master } from './master.js';
import { ProfileSender } from './profile-sender.js';
import { RecordSender } from './record-sender.js';
import { Runner } from './runner.js';
import { isPermanent } from './start/start-mistakes.js';
import { contextsOf, mailContext, mailTask, runnableTasks, type RunnableTask } from './task.js';
import { NestedCaller } from './nested/nested-calls.js';
import type { CreatedWorker, LoadWorker, LoadedWorker } from './start/worker-environment.js';

/** How a runtime ended: told to stop, could not start, or its link is gone. `clean`: everything it had to do was done. */
export interface RuntimeEnd {
  readonly isClean: boolean;
}

export interface TaskRuntimeOptions {
  readonly mark: StartedMark;
  readonly load: LoadWorker;
  /** Where sockets arrive; none do unless it is said. */
  readonly arrivals?: SocketQueue | undefined;
  /** Measures how long tasks take; the machine's own clock by default. */
  readonly clock?: Pick<Clock, 'now'>;
  /** BOOT has come, with the worker's name and options. */
  booting?(boot: BootMessage): void;
  /** The runtime has ended, exactly once; everything sent has been written. */
  onEnded?(end: RuntimeEnd): void;
}

/** waiting: for BOOT. loading: the module, then the instance. ready: takes calls. stopping: runs `@OnStop`. over: the link is ending or gone. */
type State = 'waiting' | 'loading' | 'ready' | 'stopping' | 'over';

/** Messages beside answers that are written to the link at once, and how many a millisecond are in the long run: the others leave with the next write. */
const BURST = 64;
const PER_MILLISECOND = 4;
/** Milliseconds between two looks for credit while a task holds the event loop. */
const LOOK_EVERY = 1;
/** Values of the largest size that may wait for credit, for one call or for messages without one. */
const LARGEST_WAITING = 4;

/** The part of CALL's arg that is the task's index. */
const TASK_INDEX = 0xffff;

/**
 * The worker's side of a link: becomes the worker that BOOT names, then executes what it is asked to until STOP, or until the link ends.
 * The same in a process of its own and inside the master.
 */
export class TaskRuntime implements LinkReceiver {
  readonly #options: TaskRuntimeOptions;
  readonly #stream: Duplex;
  readonly #link: Link;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #latest: LatestStatus;
  #carrier: LinkCarrier | undefined;
  readonly #eager: TokenBucket;
  readonly #held = new HeldMessages();
  #polling = false;
  #polledAt = -Infinity;
  #messages: CreditGate | undefined;
  #records: RecordSender | undefined;
  readonly #profiles: ProfileSender;
  #state: State = 'waiting';
  #boot: BootMessage | undefined;
  #runner: Runner | undefined;
  #nestedCalls: NestedCaller | undefined;
  #created: CreatedWorker | undefined;
  #socketReceiver: SocketReceiver | undefined;
  #tasks: readonly RunnableTask[] = [];
  #mail: RunnableTask | undefined;
  /** The META whose CALL comes next. */
  #meta: { readonly id: number; readonly value: CallMeta } | undefined;
  /** Milliseconds until it is killed, which STOP said before READY; undefined: none came. */
  #stopSoon: number | undefined;
  #clean = true;
  #told = false;

  constructor(stream: Duplex, options: TaskRuntimeOptions) {
    this.#options = options;
    this.#stream = stream;
    this.#link = openLink(stream, this, { maxMessageSize: 0, trusted: true });
    this.#clock = options.clock ?? realClock;
    this.#latest = new LatestStatus(this.#link, this.#clock);
    this.#profiles = new ProfileSender(this.#link);
    this.#eager = new TokenBucket(this.#clock, BURST, PER_MILLISECOND);
  }

  // ── what the link says

  onMessage(kind: number, id: number, arg: number, body: Body): void {
    if (this.#polling && kind !== Kind.CREDIT && kind !== Kind.CANCEL) return this.#held.hold(kind, id, arg, body);
    if (this.#held.hasAny && !this.#polling) this.#release();
    this.#message(kind, id, arg, body);
  }

  #message(kind: number, id: number, arg: number, body: Body): void {
    if (kind === Kind.CALL) {
      const task = this.#tasks[arg & TASK_INDEX];
      return task ? this.#accept(id, task, arg, body) : this.#unknown(id, `task ${arg & TASK_INDEX}`);
    }
    if (kind === Kind.PUBLISH) return this.#carrier?.receive(body);
    if (id >= UPWARD) return this.#nestedCalls?.message(kind, id, arg, body);
    switch (kind) {
      case Kind.META:
        return void (this.#meta = { id, value: body.value() as CallMeta });
      case Kind.MAIL:
        return this.#mail ? this.#accept(id, this.#mail, 0, body) : this.#unknown(id, arg === 0 ? 'ask' : 'tell');
      case Kind.CANCEL:
        return this.#runner?.cancel(id, arg);
      case Kind.CREDIT:
        return this.#credit(id, arg, body);
      case Kind.ITEM:
        return this.#runner?.incoming(id)?.push(body.value(), body.length);
      case Kind.END:
        return this.#runner?.incoming(id)?.end();
      case Kind.FAILURE:
        return this.#runner?.incoming(id)?.fail(body.value());
      case Kind.PING:
        return this.#link.send(Kind.PONG, id, arg);
      case Kind.SOCKET:
        return this.#socketReceiver?.announce(id, body.value() as SocketMessage);
      case Kind.SOCKET_COMMIT:
        return this.#socketReceiver?.settle(id, arg);
      case Kind.STOP_LISTENING:
        return this.#socketReceiver?.stopListening(arg);
      case Kind.STOP:
        return this.#onStop(arg);
      case Kind.PROFILE:
        return this.#profiles.message(id, arg, body);
      case Kind.LOG_LEVEL:
        return void (this.#boot = { ...this.#boot!, logLevel: arg });
      case Kind.BOOT:
        if (this.#state !== 'waiting') throw new ProtocolError('a second BOOT');
        void this.#start(body.value() as BootMessage);
    }
  }

  #credit(id: number, arg: number, body: Body): void {
    const { kind, ...room } = readCredit(arg, body);
    if (kind === CreditKind.messages) this.#messages?.give(room);
    else if (kind === CreditKind.records) this.#records?.give(room);
    else if (kind === CreditKind.profiles) this.#profiles.give(id, room);
    else this.#runner?.credit(id, kind, room);
  }

  onBurst(): void {
    if (this.#held.hasAny) this.#release();
    this.#runner?.burst();
  }

  onDrained(): void {
    this.#latest.send();
    this.#runner?.run();
  }

  onClosed(): void {
    if (this.#state !== 'over') this.#clean = false;
    if (this.#state === 'ready' || this.#state === 'stopping') this.#created?.onDropped?.();
    this.#state = 'over';
    this.#runner?.close();
    this.#socketReceiver?.close();
    this.#nestedCalls?.close();
    this.#profiles.close();
    this.#messages?.close(() => new ClosingError('the worker is closing: its master takes no more messages'));
    this.#tell();
  }

  // ── what the process around it says

  /** Writes what has been said so far, all of it, to the link's descriptor: the process ends. */
  writeOut(fd: number): void {
    this.#latest.send();
    this.#link.writeOut(fd);
  }

  /** An error that no caller waits for. `fatal`: the process ends for it. */
  onUncaughtError(error: unknown, fatal = false): void {
    sendStray(this.#link, error, fatal);
  }

  // ── its life

  async #start(boot: BootMessage): Promise<void> {
    this.#state = 'loading';
    this.#boot = boot;
    let importing = true;
    try {
      if (boot.version !== PROTOCOL_VERSION)
        throw new ProtocolError(`the master speaks version ${boot.version} of the protocol, not ${PROTOCOL_VERSION}`);
      this.#options.booting?.(boot);
      const loaded = await this.#options.load(boot);
      importing = false;
      this.#hello(boot, loaded);
      const runner = this.#prepare(boot);
      this.#created = await loaded.create(this.#environment(boot, runner));
      const { instance } = this.#created;
      this.#tasks = runnableTasks(loaded.blueprint, instance, boot, loaded.isReplaced);
      this.#mail = mailTask(loaded.blueprint, instance, boot, loaded.isReplaced);
      this.#runner = runner;
    } catch (error) {
      return this.#failed(error, isPermanent(error, importing));
    }
    if (this.#isOver()) return this.#created.onDropped?.(); // The link went while it was being built.
    this.#state = 'ready';
    const { arrivals } = this.#options;
    const { sockets } = this.#created;
    if (arrivals && sockets) this.#socketReceiver = new SocketReceiver(this.#link, arrivals, sockets);
    this.#link.send(Kind.READY, 0, 0);
    if (this.#stopSoon !== undefined) this.#onStop(this.#stopSoon);
  }

  #hello(boot: BootMessage, { blueprint, isReplaced: replaced }: LoadedWorker): void {
    const hello: HelloMessage = {
      version: PROTOCOL_VERSION,
      name: boot.name,
      pid: process.pid,
      tasks: [...blueprint.tasks.keys()],
      context: contextsOf(blueprint, replaced),
      mail: mailContext(blueprint, replaced),
    };
    this.#link.sendValue(Kind.HELLO, 0, 0, hello);
    this.#link.limit(boot.maxMessageSize);
  }

  #prepare({ name, key, concurrency, workers, maxMessageSize }: BootMessage): Runner {
    const gate = { lookForCredit: this.#lookForCredit, maxWaiting: (maxMessageSize || Infinity) * LARGEST_WAITING };
    const send = (encoded: Encoded): void => {
      this.#link.sendEncoded(Kind.MESSAGE, 0, 0, encoded);
      this.#said();
    };
    this.#messages = new CreditGate(INITIAL_ROOM.messages, { ...gate, send, what: `messages of ${name} to its master` });
    const context = {
      encode: (value: unknown, root: string) => encodeValue(value, maxMessageSize, root, this.#link.sharesMemory),
      status: (value: unknown) => this.#status(value, maxMessageSize),
    };
    const runner = new Runner({
      name,
      key,
      concurrency,
      link: this.#link,
      mark: this.#options.mark,
      clock: this.#clock,
      context,
      gate,
      onSent: this.#said,
    });
    this.#nestedCalls = new NestedCaller({
      link: this.#link,
      workers,
      onUncaughtError: error => this.onUncaughtError(error),
      trace: () => runner.trace,
      onSent: this.#said,
    });
    this.#records = new RecordSender({
      link: this.#link,
      call: () => runner.current,
      onSent: this.#said,
      lookForCredit: this.#lookForCredit,
    });
    return runner;
  }

  #environment(boot: BootMessage, runner: Runner): Parameters<LoadedWorker['create']>[0] {
    const { maxMessageSize } = boot;
    return {
      boot,
      master: new Master({
        send: data => this.#messages!.push(encodeValue(data, maxMessageSize, 'data', this.#link.sharesMemory)),
        status: value => this.#status(value, maxMessageSize),
      }),
      client: (worker, key, within) => this.#nestedCalls!.client(worker, key, within),
      connectChannels: channels => (this.#carrier = new LinkCarrier(this.#link, boot.app, maxMessageSize)).connect(channels),
      reportConnections: (connections, inbound) => this.#link.send(Kind.CONNECTIONS, inbound, connections),
      reportListening: message => this.#link.sendValue(Kind.LISTENS, 0, 0, message),
      onUncaughtError: error => this.onUncaughtError(error),
      records: {
        least: () => this.#boot!.logLevel,
        bound: () => void runner.trace,
        write: (level, record, message) => this.#records!.write(level, record, message),
      },
    };
  }

  /** Something beside an answer was given to the link: it leaves although its task may hold the event loop. */
  readonly #said = (): void => {
    if (this.#eager.take()) this.#link.flush();
  };

  /** Reads credit that the event loop cannot bring, because a task holds it. Everything else that comes with it waits for the loop. */
  readonly #lookForCredit = (): void => {
    const now = this.#clock.now();
    if (now - this.#polledAt < LOOK_EVERY) return;
    this.#polledAt = now;
    this.#polling = true;
    this.#link.poll();
    this.#polling = false;
  };

  #release(): void {
    this.#held.release((...message) => this.#message(...message));
  }

  #status(value: unknown, limit: number): void {
    const most = limit === 0 ? MOST_STATUS : Math.min(limit, MOST_STATUS);
    try {
      this.#latest.set(encodeValue(value, most, 'status'));
    } catch (error) {
      throw error instanceof MessageTooLargeError && most === MOST_STATUS
        ? new MessageTooLargeError('status', MOST_STATUS, 'a status may be')
        : error;
    }
  }

  #accept(id: number, task: RunnableTask, flags: number, body: Body): void {
    const meta = this.#meta?.id === id ? this.#meta.value : undefined;
    this.#meta = undefined;
    this.#runner?.accept(id, task, body.value(), meta, (flags & CallFlag.SENDS) !== 0);
  }

  /** Master and worker are of different builds, or there is no mailbox. */
  #unknown(id: number, task: string): void {
    if (!this.#boot || !this.#runner) throw new ProtocolError('a call before READY');
    const { name: worker, key } = this.#boot;
    sendFailure(this.#link, id, new TaskNotFoundError({ worker, key, task }));
  }

  #onStop(within: number): void {
    if (this.#state === 'waiting' || this.#state === 'loading') this.#stopSoon = within;
    // Told again, since there is less time than was said.
    if (this.#state === 'stopping') this.#created?.stop(within).catch(() => {});
    if (this.#state !== 'ready') return;
    this.#state = 'stopping';
    this.#runner?.stop();
    void this.#stopInstance(within).then(() => this.#messages!.whenSent(() => this.#finish()));
  }

  async #stopInstance(within: number): Promise<void> {
    try {
      await this.#created?.stop(within);
    } catch (error) {
      this.#clean = false;
      this.onUncaughtError(error);
    }
  }

  /** The worker cannot start: why is the last thing it says. */
  #failed(error: unknown, permanent: boolean): void {
    this.#clean = false;
    sendFailure(this.#link, 0, error, permanent);
    this.#finish();
  }

  #finish(): void {
    if (this.#isOver()) return;
    this.#state = 'over';
    this.#latest.send();
    this.#stream.once(
      'finish',
      guard(this.#stream, () => this.#tell()),
    );
    this.#link.end();
  }

  /** A method, since the state changes behind an `await` and the compiler would think that it had not. */
  #isOver(): boolean {
    return this.#state === 'over';
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    this.#options.onEnded?.({ isClean: this.#clean });
  }
}
