import type { Clock } from '../../clock.js';
import type { CallOutcome, CallTrace } from '../../diagnostics/trace-types.js';
import { callTraces, endTrace } from '../../diagnostics/traces.js';
import {
  CallCycleError,
  ClosingError,
  QueueTimeoutError,
  WorkerBusyError,
  WorkerCrashedError,
  WorkerNotFoundError,
  WorkerTimeoutError,
  WorkerUnavailableError,
} from '../../errors.js';
import type { Caller } from '../../decorators/worker/task-types.js';

type Carrier = Readonly<Record<string, string>>;

/** A call that may carry something. */
interface Carrying {
  readonly parent: Carrying | undefined;
  readonly options: { readonly carrier?: Carrier | undefined } | undefined;
  readonly tracing: CallTracing | undefined;
}

/** The carrier of a call: its own entries on top of those of the call in whose task it was made. */
export function carrierOf({ parent, options, tracing }: Carrying): Carrier | undefined {
  if (tracing) return tracing.trace.carrier;
  const inherited = parent && carrierOf(parent);
  const own = options?.carrier;
  return inherited && own ? { ...inherited, ...own } : (own ?? inherited);
}

/** The call, as its tracing sees it. */
interface TracedCall extends Carrying {
  readonly app: string;
  readonly target: { readonly worker: { readonly name: string }; readonly name: string };
  readonly key: string | undefined;
  readonly owner: { readonly caller: Caller };
  readonly attempt: number;
  readonly weight: number;
}

/** A call that ends with one of these has never begun. */
const REFUSED = [WorkerBusyError, QueueTimeoutError, WorkerUnavailableError, WorkerNotFoundError, ClosingError, CallCycleError];

function outcomeOf(error: Error | undefined): CallOutcome {
  if (error === undefined) return 'done';
  if (error instanceof WorkerCrashedError) return 'crashed';
  if (error instanceof WorkerTimeoutError) return 'timedOut';
  return REFUSED.some(cls => error instanceof cls) ? 'refused' : 'failed';
}

/** Fills in what the channels of calls publish about one. There only where something listens. */
export class CallTracing {
  readonly trace: CallTrace;
  readonly #call: TracedCall;
  readonly #clock: Clock;
  /** From the monotonic clock to the epoch: one reading for all times of a call, so that they are in order. */
  readonly #offset: number;

  constructor(call: TracedCall, clock: Clock) {
    const now = clock.now();
    const { app, target, key, owner, parent } = call;
    this.#call = call;
    this.#clock = clock;
    this.#offset = clock.epoch() - now;
    this.trace = {
      app,
      worker: target.worker.name,
      key,
      task: target.name,
      caller: owner.caller,
      parent: parent?.tracing?.trace,
      carrier: { ...carrierOf(call) },
      process: undefined,
      workerPid: undefined,
      attempt: 1,
      queued: now + this.#offset,
      started: undefined,
      ended: undefined,
      outcome: undefined,
      code: undefined,
      bytes: { sent: 0, received: 0 },
    };
  }

  /** A process has it. */
  given(process: string, pid: number): void {
    const { trace } = this;
    trace.process = process;
    trace.workerPid = pid;
    trace.started = undefined;
    trace.attempt = this.#call.attempt;
  }

  /** Its time there begins, at `now` ms of the monotonic clock. */
  began(now: number): void {
    this.trace.started ??= now + this.#offset;
  }

  /** The call has settled. */
  ended(error: Error | undefined): void {
    const { trace } = this;
    trace.outcome = outcomeOf(error);
    trace.attempt = this.#call.attempt;
    trace.bytes.sent = this.#call.weight;
    endTrace(callTraces, trace, this.#clock.now() + this.#offset, error);
  }
}
