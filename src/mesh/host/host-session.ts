import { publish } from '../../diagnostics.js';
import { asError, ProtocolError, TaskNotFoundError } from '../../errors.js';
import type { WorkerBlueprint } from '../../blueprint/types.js';
import type { Clock } from '../../clock.js';
import { contextsOf, mailContext } from '../../tasks/task.js';
import { CreditKind, INITIAL_ROOM, readCredit, SendCredit } from '../../wire/link/credit.js';
import { openLink } from '../../wire/link/link.js';
import { sendFailure } from '../../wire/link/failure.js';
import { CallFlag, Kind, PROTOCOL_VERSION, UPWARD, type RemoteMeta } from '../../wire/link/protocol.js';
import type { Body, Link, LinkReceiver } from '../../wire/link/types.js';
import { Owner } from '../../workers/call/owner.js';
import type { Pool } from '../../workers/pool/pool.js';
import { targetsOf, type Target } from '../../workers/call/call-target.js';
import type { MeshStream } from '../link/mesh-stream.js';
import type { ExitReason, WorkerProcess } from '../../decorators/worker/worker-types.js';
import { processEndMessage } from '../process-end.js';
import { readBoot, readMeta, type RemoteBoot } from './remote-messages.js';
import { RelayedNestedCalls } from './nested-calls.js';
import { RelayedCall } from './relayed-call.js';
import { SessionStatus } from './session-status.js';

/** The part of CALL's arg that is the task's index. */
const TASK_INDEX = 0xffff;
/** Bytes of answers that a caller does not read, above which its link is broken off. */
const MOST_UNREAD = 256 * 1024 * 1024;
/** Contexts whose calls have not come yet: those of large inputs wait behind others. */
const MOST_METAS = 100_000;

/** The host, as a session sees it. */
export interface HostSessionOwner {
  readonly clock: Clock;
  readonly name: string;
  /** Starts the worker under this key, or finds it running. Rejects with why it cannot be had. */
  open(boot: RemoteBoot): Promise<Pool>;
  /** The session has ended: the pool that `open` gave it is not needed for it any more. */
  onEnded(session: HostSession): void;
}

/**
 * One caller's link to one worker of this host. To the caller it is a worker process: it says hello, takes calls, answers. What it is asked
 * goes to the host's own pool of that worker.
 */
export class HostSession implements LinkReceiver {
  readonly worker: WorkerBlueprint;
  readonly link: Link;
  readonly #stream: MeshStream;
  readonly #host: HostSessionOwner;
  readonly #calls = new Map<number, RelayedCall>();
  readonly #status: SessionStatus;
  #pool: Pool | undefined;
  #targets: readonly Target[] = [];
  #nested: RelayedNestedCalls | undefined;
  /** Contexts of calls that are about to come, by the calls' numbers. */
  readonly #metas = new Map<number, RemoteMeta>();
  /** Key of its worker that it asked for; undefined: none, or it has not said. */
  key: string | undefined;
  readonly #messageCredit = new SendCredit(INITIAL_ROOM.messages);
  readonly #waitingMessages: (() => void)[] = [];
  #isBooted = false;
  /** Its caller was told READY. */
  #isServing = false;
  #isOver = false;
  /** Resolves when the link is over and its calls are aborted. */
  readonly gone: Promise<void>;
  #isGone!: () => void;

  constructor(worker: WorkerBlueprint, stream: MeshStream, host: HostSessionOwner) {
    this.worker = worker;
    this.#stream = stream;
    this.#host = host;
    this.gone = new Promise(resolve => (this.#isGone = resolve));
    this.link = openLink(stream, this, { maxMessageSize: worker.settings.maxMessageSize });
    this.#status = new SessionStatus(this.link, host.clock, host.name);
  }

  /** Calls of the caller that are not over. */
  get calls(): number {
    return this.#calls.size;
  }

  /** Pool that serves it, once it has one. */
  get pool(): Pool | undefined {
    return this.#pool;
  }

  // ── what the caller says

  onMessage(kind: number, id: number, arg: number, body: Body): void {
    if (kind === Kind.BOOT) return this.#boot(readBoot(body.value()));
    if (!this.#isServing) {
      if (kind === Kind.STOP) return this.link.end();
      if (kind === Kind.PING) return this.link.send(Kind.PONG, id, arg);
      throw new ProtocolError(`message ${kind} before READY`);
    }
    if (id >= UPWARD) return this.#nested!.message(kind, id, arg, body);
    switch (kind) {
      case Kind.META:
        if (this.#metas.size >= MOST_METAS) throw new ProtocolError(`the contexts of ${MOST_METAS} calls that do not come`);
        this.#metas.set(id, readMeta(body.value()));
        return;
      case Kind.CALL:
        return this.#accept(id, this.#targets[arg & TASK_INDEX], (arg & CallFlag.SENDS) !== 0, body);
      case Kind.MAIL:
        return this.#accept(id, targetsOf(this.worker)[arg === 0 ? 'ask' : 'tell'], false, body);
      case Kind.CANCEL:
        return this.#calls.get(id)?.withdraw(arg === 2);
      case Kind.CREDIT:
        return this.#credit(id, arg, body);
      case Kind.ITEM:
        return this.#calls.get(id)?.items?.push(body.take());
      case Kind.END:
        return this.#calls.get(id)?.items?.end();
      case Kind.PING:
        return this.link.send(Kind.PONG, id, arg);
      case Kind.STOP:
        return this.#finish();
      // There are no sockets of a caller here.
      case Kind.STOP_LISTENING:
        return;
      default:
        throw new ProtocolError(`message of kind ${kind}, which a caller never sends`);
    }
  }

  onClosed(error?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#status.stop();
    if (error) publish('mesh.error', { host: this.#host.name, worker: this.worker.name, error });
    for (const call of [...this.#calls.values()]) call.abandon();
    this.#calls.clear();
    this.#metas.clear();
    this.#nested?.close();
    for (const go of this.#waitingMessages.splice(0)) go();
    this.#host.onEnded(this);
    this.#isGone();
  }

  // ── what the host says

  /** The host takes no more calls: the caller finishes what it has here and ends the link. */
  leave(): void {
    if (this.#isServing) this.link.send(Kind.LEAVE, 0, 0);
    else this.link.end();
  }

  /** A message that a worker sent unasked. Resolves when it is on its way. */
  async tell(value: unknown): Promise<void> {
    while (!this.#messageCredit.open && !this.#isOver) await new Promise<void>(resolve => this.#waitingMessages.push(resolve));
    if (this.#isOver) return;
    this.#messageCredit.spend(this.link.sendValue(Kind.MESSAGE, 0, 0, value));
  }

  /** A process of its pool has ended. */
  tellEnd(process: WorkerProcess, why: ExitReason): void {
    if (this.#isServing && !this.#isOver) this.link.sendValue(Kind.ENDED, 0, 0, processEndMessage(this.#host.name, process, why));
  }

  /** The link is broken off. */
  destroy(): void {
    this.link.destroy();
  }

  readonly #onOver = (id: number): void => {
    this.#calls.delete(id);
    this.#stream.isBusy = this.#calls.size > 0;
  };

  #boot(boot: RemoteBoot): void {
    if (this.#isBooted) throw new ProtocolError('a second BOOT');
    this.#isBooted = true;
    this.key = boot.key;
    void this.#open(boot);
  }

  async #open(boot: RemoteBoot): Promise<void> {
    try {
      if (boot.version !== PROTOCOL_VERSION)
        throw new ProtocolError(`the caller speaks version ${boot.version} of the protocol, host ${this.#host.name} ${PROTOCOL_VERSION}`);
      const pool = (this.#pool = await this.#host.open(boot));
      if (this.#isOver) return this.#host.onEnded(this);
      const { name, tasks } = this.worker;
      this.#nested = new RelayedNestedCalls(this.link, boot.workers);
      this.#targets = targetsOf(this.worker).tasks;
      this.#isServing = true;
      const context = contextsOf(this.worker);
      this.link.sendValue(Kind.HELLO, 0, 0, {
        version: PROTOCOL_VERSION,
        name,
        pid: process.pid,
        tasks: [...tasks.keys()],
        context,
        mail: mailContext(this.worker),
      });
      this.link.send(Kind.READY, 0, 0);
      this.#status.begin(pool);
    } catch (error) {
      sendFailure(this.link, 0, asError(error), true);
      this.link.end();
    }
  }

  #accept(id: number, target: Target | undefined, isSending: boolean, body: Body): void {
    const meta = this.#metas.get(id);
    this.#metas.delete(id);
    const { name, settings } = this.worker;
    const pool = this.#pool!;
    if (!target) return sendFailure(this.link, id, new TaskNotFoundError({ worker: name, key: pool.key, task: 'a task it does not have' }));
    if (this.#calls.has(id)) throw new ProtocolError(`call ${id} is made twice`);
    if (this.link.bufferedBytes > MOST_UNREAD)
      throw new ProtocolError(`the caller has not read ${MOST_UNREAD} bytes of answers, and asks on`);
    const remaining = meta?.remaining;
    const deadline = remaining === undefined ? undefined : Math.round(this.#host.clock.epoch() + remaining);
    const owner = new Owner('app', 'mesh', meta?.caller ?? {}, {}, this.#stream.label);
    const timeout = meta?.timeout !== undefined && (settings.timeout === 0 || meta.timeout < settings.timeout) ? meta.timeout : undefined;
    const { affinity, attempt, carrier } = meta ?? {};
    const origin = { host: this.#host.name, link: this.link, id, directory: this.#nested!, onOver: this.#onOver };
    const call = new RelayedCall(target, pool.key, owner, { timeout, affinity, deadline, attempt, carrier }, origin, isSending);
    call.take(body);
    this.#calls.set(id, call);
    this.#stream.isBusy = true;
    pool.submitEncoded(call);
  }

  #credit(id: number, arg: number, body: Body): void {
    const { kind, ...room } = readCredit(arg, body);
    if (kind === CreditKind.messages) {
      this.#messageCredit.give(room);
      for (const go of this.#waitingMessages.splice(0)) go();
    } else this.#calls.get(id)?.grant(kind === CreditKind.events ? 'events' : 'items', room);
  }

  /** Everything is answered: the link ends when it has left. */
  #finish(): void {
    this.#status.stop();
    this.link.end();
  }
}
