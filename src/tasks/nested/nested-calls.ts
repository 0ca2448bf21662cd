import type { AsyncLocalStorage } from 'node:async_hooks';
import { mailOf, wrongCallOptions, type CalledTask } from '../../decorators/worker/call-options.js';
import { AbortError, ClosingError, UsageError, WorkerNotFoundError } from '../../errors.js';
import { toMilliseconds } from '../../units.js';
import { Kind, MOST_NAME, UPWARD, type BootMessage, type NestedCallMessage } from '../../wire/link/protocol.js';
import type { Body, Link } from '../../wire/link/types.js';
import { NestedCall, type NestedCallOptions, type NestedCallHost } from './nested-call.js';
import { CreditKind, readCredit } from '../../wire/link/credit.js';

/** NESTED_CALL's arg. */
const How = { task: 0, ask: 1, tell: 2 } as const;

/** Another worker, and the caller that calls to it name where their options name none. */
interface Addressed {
  readonly name: string;
  readonly key: string | undefined;
  readonly within: string | undefined;
}

/** One task, or the mailbox, of another worker. */
interface NestedTarget extends Addressed {
  readonly task: string;
  readonly isStream: boolean;
  readonly checked: CalledTask;
}

export interface NestedCallerOptions {
  readonly link: Link;
  readonly workers: BootMessage['workers'];
  onUncaughtError(error: unknown): void;
  /** A call was given to the link: it leaves although its task may go on without awaiting it. */
  onSent(): void;
  /** In which call code runs; known from when it is first asked for. */
  trace(): AsyncLocalStorage<number>;
}

/**
 * The calls that this worker makes to others. They go through the master, which queues, validates and supervises them like any other,
 * and knows from `parent` whose signal and deadline they inherit.
 */
export class NestedCaller {
  readonly #options: NestedCallerOptions;
  readonly #link: Link;
  readonly #calls = new Map<number, NestedCall>();
  /** Only a worker that has a client of another one pays for it: AsyncLocalStorage makes every promise dearer. */
  #parents: AsyncLocalStorage<number> | undefined;
  readonly #port: NestedCallHost;
  #last = 0;
  #closed = false;

  constructor(options: NestedCallerOptions) {
    this.#options = options;
    this.#link = options.link;
    this.#port = {
      link: options.link,
      forget: call => void this.#calls.delete(call.id),
      onUncaughtError: error => options.onUncaughtError(error),
    };
  }

  /**
   * A client of another worker: its tasks as methods, `ask` and `tell`.
   * @throws WorkerNotFoundError when the application has no worker of that name.
   */
  client(name: string, key: string | undefined, within?: string): object {
    const worker = this.#options.workers.find(each => each.name === name);
    if (!worker) throw new WorkerNotFoundError(name, key, 'this application has no worker of that name');
    this.#parents ??= this.#options.trace();
    const streams = new Set(worker.streams);
    const receives = new Set(worker.receives);
    const events = new Map(worker.events);
    const mail = { name, key, within, task: 'ask', isStream: false, checked: mailOf(name, 'ask') };
    const client: Record<string, unknown> = {
      ask: (data: unknown, options?: NestedCallOptions) => this.#call(How.ask, mail, data, options),
      tell: (data: unknown, options?: NestedCallOptions) => this.#tell({ name, key, within }, data, options),
    };
    for (const task of worker.tasks) {
      const checked = { name: `${name}.${task}`, events: events.get(task) ?? [], receives: receives.has(task) };
      const target = { name, key, within, task, isStream: streams.has(task), checked };
      client[task] = (input?: unknown, options?: NestedCallOptions) => this.#call(How.task, target, input, options);
    }
    return Object.freeze(client);
  }

  /** Receives the master's messages about these calls. One for an ended call crossed its end. */
  message(kind: number, id: number, arg: number, body: Body): void {
    const call = this.#calls.get(id);
    if (!call) return;
    if (kind === Kind.REPLY) call.reply(body.value());
    else if (kind === Kind.FAILURE) call.fail(body.value());
    else if (kind === Kind.ITEM) call.item(body.value(), body.length);
    else if (kind === Kind.END) call.end();
    else if (kind === Kind.EVENT) call.event(...(body.value() as [string, unknown]), body.length);
    else if (kind === Kind.CREDIT && arg >>> 24 === CreditKind.sends) call.grant(readCredit(arg, body));
  }

  close(): void {
    this.#closed = true;
    for (const call of [...this.#calls.values()]) call.fail(new ClosingError('the worker that made this call is closing'));
  }

  #tell(worker: Addressed, data: unknown, options: NestedCallOptions = {}): void {
    const wrong = wrongCallOptions(mailOf(worker.name, 'tell'), options);
    if (wrong) throw wrong;
    if (this.#closed) return;
    // A tell has no answer: it gets an id, and messages about that are dropped.
    this.#link.sendValue(Kind.NESTED_CALL, this.#nextId(), How.tell, this.#message(worker, undefined, data, options), 'call');
    this.#options.onSent();
  }

  #call(how: number, target: NestedTarget, input: unknown, options: NestedCallOptions = {}): unknown {
    const id = this.#nextId();
    const wrong = wrongCallOptions(target.checked, options);
    const call = new NestedCall(id, target.name, target.task, target.isStream, wrong ? {} : options, this.#port);
    try {
      if (wrong) throw wrong;
      if (this.#closed) throw new ClosingError('the worker that makes this call is closing');
      if (options.signal?.aborted) throw new AbortError(options.signal.reason);
      this.#link.sendValue(
        Kind.NESTED_CALL,
        id,
        how,
        this.#message(target, how === How.task ? target.task : undefined, input, options),
        'call',
      );
      this.#calls.set(id, call);
      call.begin();
      this.#options.onSent();
    } catch (error) {
      call.fail(error);
    }
    return call.answer;
  }

  #message({ name, key, within }: Addressed, task: string | undefined, input: unknown, options: NestedCallOptions): NestedCallMessage {
    const { timeout, affinity, caller = within, carrier, send } = options;
    for (const [option, text] of Object.entries({ key: options.key, affinity, caller }))
      if (typeof text === 'string' && text.length > MOST_NAME)
        throw new UsageError(`${option} of a call to ${name} has more than ${MOST_NAME} characters`);
    return {
      worker: name,
      key: options.key ?? key,
      task,
      input,
      parent: this.#parents?.getStore(),
      timeout: timeout === undefined ? undefined : toMilliseconds(timeout),
      affinity,
      caller,
      sends: send !== undefined,
      carrier,
    };
  }

  #nextId(): number {
    this.#last = (this.#last + 1) % UPWARD;
    return UPWARD + this.#last;
  }
}
