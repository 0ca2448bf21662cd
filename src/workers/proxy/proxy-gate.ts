import type { DataRoute } from '../../blueprint/types.js';
import type { Caller } from '../../decorators/worker/task-types.js';
import type { ProxyCall } from '../../decorators/worker/proxy-types.js';
import { outsideOfCallers } from '../../async-context.js';
import { publish } from '../../diagnostics.js';
import { asError, BoundaryError, UsageError } from '../../errors.js';
import { refusalOf, type Tried } from '../../schema/refusal.js';
import type { Call, CallHolder, CallSettings, PinnedProcess } from '../call/call.js';
import { Client, clientOf } from '../client.js';
import type { PooledProcess } from '../process/pooled-process.js';
import { Owner } from '../call/owner.js';
import { PromiseCall } from '../call/promise-call.js';
import { ProxiedStream } from './proxied-stream.js';
import { withTools, type ProxyTools } from './proxy.js';
import type { Destination, WorkerRoute } from '../route.js';
import { failedCall, CallItems } from '../call/stream-call.js';
import { wrongOptions, type Target } from '../call/call-target.js';

/** A proxy as the container built it. */
export interface BuiltProxy {
  readonly instance: object;
  /** Its public methods: those with a task's name stand in front of that task. */
  readonly methods: ReadonlySet<string>;
  /** Handlers of messages that workers send unasked. */
  readonly mailbox: readonly DataRoute[];
  /** Its `@OnStart` methods and timers, once the worker is ready. */
  start?(): Promise<void>;
  /** Its `@OnStop` methods, before the worker stops. Never rejects. */
  stop?(): Promise<void>;
}

/** The call behind each context of a proxied call. Unseen by the proxy's methods. */
const askers = new WeakMap<object, Call>();

/** The pool behind a proxy, as the gate sees it. */
interface GatedPool extends Destination {
  readonly processSet: { readonly ready: readonly PooledProcess[] };
  refusal(call: Call): Error | undefined;
  deadlineOf(call: Call): number | undefined;
  onFewerCalls(): void;
}

/** Context of a proxied call, for the proxy's method. The signal is made when it is asked for. */
class AskedCall implements ProxyCall, CallHolder {
  readonly deadline: number | undefined;
  readonly #call: Call;
  #abort: AbortController | undefined;
  #withdrawn = false;

  constructor(call: Call, deadline: number | undefined) {
    this.#call = call;
    this.deadline = deadline;
    askers.set(this, call);
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#withdrawn) this.#abort.abort(this.#call.abortReason);
    }
    return this.#abort.signal;
  }

  get caller(): Caller {
    return this.#call.owner.caller;
  }

  get tag(): unknown {
    return this.#call.options?.tag;
  }

  get affinity(): string | undefined {
    return this.#call.options?.affinity;
  }

  cancel(call: Call): void {
    this.#withdrawn = true;
    this.#abort?.abort(call.abortReason);
  }

  grantCredit(): void {}

  /** Undefined: whether the proxy waits for other calls is not known, so it may go on. */
  callsAhead(): undefined {}
}

/** A proxy's call for an asker: its owner, signal, limits, events and stream are the asker's. */
function onBehalf(route: WorkerRoute, target: Target, input: unknown, call: unknown, pin?: PinnedProcess): unknown {
  const asker = typeof call === 'object' && call !== null ? askers.get(call) : undefined;
  if (!asker) return failedCall(target, new UsageError(`this.worker.${target.name} needs the call that the proxy's method was given`));
  return route.direct(target, input, { ...asker.options, key: undefined }, asker.owner, undefined, pin, asker);
}

/** `worker` of a proxy, or of one of its instances. */
function proxied(route: WorkerRoute, pin?: PinnedProcess): object {
  const methods: Record<string, (input: unknown, call: unknown) => unknown> = Object.create(null) as Record<string, never>;
  for (const target of [...route.targets.tasks, route.targets.ask])
    methods[target.name] = (input, call) => onBehalf(route, target, input, call, pin);
  return methods;
}

/** A client that goes past the proxy, to one process or any. */
function direct(route: WorkerRoute, owner: Owner, pin?: PinnedProcess): object {
  const methods: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const target of [...route.targets.tasks, route.targets.ask]) {
    methods[target.name] = (input: unknown, options?: CallSettings) => {
      const wrong = options === undefined ? undefined : wrongOptions(target, options);
      return wrong ? failedCall(target, wrong) : route.direct(target, input, options, owner, undefined, pin);
    };
  }
  const plain = clientOf(route, owner);
  methods['tell'] = (data: unknown, options?: CallSettings) => Client.prototype.tell.call(plain, data, options);
  return methods;
}

/** The proxy of one (worker, key), and what stands between it and its askers. */
export class ProxyGate {
  readonly #route: WorkerRoute<GatedPool>;
  readonly #proxy: BuiltProxy;
  readonly #owner: Owner;
  /** Calls that the proxy has not answered. */
  readonly #asked = new Set<Call>();
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  /** @param build makes the proxy; its base class is given its tools meanwhile */
  constructor(route: WorkerRoute<GatedPool>, options: unknown, build: () => BuiltProxy) {
    this.#route = route;
    const { worker, key } = route;
    this.#owner = new Owner('app', `proxy:${worker.name}${key === undefined ? '' : `:${key}`}`);
    // The proxy's own calls while the application closes are parts of admitted ones.
    this.#owner.isAllowedWhileClosing = true;
    const tools: ProxyTools = {
      worker: proxied(route),
      own: direct(route, this.#owner),
      key,
      options,
      instances: () => (route.pool?.processSet.ready ?? []).map(process => this.#instance(process)),
    };
    this.#proxy = withTools(tools, build);
  }

  get instance(): object {
    return this.#proxy.instance;
  }

  /** Runs what the proxy wants to run when its worker is ready. Once. */
  start(): Promise<void> {
    return (this.#started ??= this.#proxy.start?.() ?? Promise.resolve());
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#proxy.stop?.() ?? Promise.resolve());
  }

  /** How many calls the proxy has not answered. */
  get answering(): number {
    return this.#asked.size;
  }

  /** Time is over: calls that still wait for the proxy fail. */
  failAll(error: () => Error): void {
    for (const call of [...this.#asked]) call.abortWith(error());
  }

  overrides(target: Target): boolean {
    return target.kind === 'task' && this.#proxy.methods.has(target.name);
  }

  /** Asks the proxy in the worker's place: input checked before, answer after. */
  answer(target: Target, input: unknown, settings: CallSettings | undefined, owner: Owner, parent: Call | undefined): unknown {
    const { key } = this.#route;
    let call: PromiseCall | ProxiedStream;
    try {
      call = target.task?.yields ? new ProxiedStream(target, key, owner, settings) : new PromiseCall(target, key, owner, settings);
    } catch (error) {
      return failedCall(target, asError(error));
    }
    call.app = this.#route.app;
    if (parent) call.setParent(parent);
    const verdict = this.#admit(call, input);
    if ('value' in verdict) this.#ask(call, verdict.value);
    return call instanceof ProxiedStream ? new CallItems(call) : call.promise;
  }

  /** Routes a message that a process sent unasked to the first handler that takes it. */
  async onUnsolicited(value: unknown): Promise<void> {
    const { instance, mailbox } = this.#proxy;
    const tried: Tried[] = [];
    try {
      for (const route of mailbox) {
        const verdict = route.validate ? route.validate(value) : { value };
        if (!verdict.issues) return void (await outsideOfCallers(() => method(instance, route.key)(verdict.value)));
        tried.push({ method: route.key, refused: verdict });
        if (verdict.broken) break;
      }
      throw new BoundaryError({ worker: this.#route.worker.name, direction: 'output', ...refusalOf(tried), what: 'unasked message' });
    } catch (error) {
      const { app, worker, key } = this.#route;
      publish('hook.error', { app, worker: worker.name, key, hook: 'OnData', error: asError(error) });
    }
  }

  #admit(call: Call, input: unknown): { value: unknown } | Record<string, never> {
    const { pool } = this.#route;
    const refusal = pool ? pool.refusal(call) : this.#route.missing();
    const { task, worker, name } = call.target;
    const verdict = task?.input && worker.settings.validate !== 'off' ? task.input(input) : { value: input };
    const error = refusal ?? (verdict.issues && new BoundaryError({ worker: worker.name, task: name, direction: 'input', ...verdict }));
    if (error) {
      call.fail(error);
      return {};
    }
    return verdict as { value: unknown };
  }

  #ask(call: PromiseCall | ProxiedStream, input: unknown): void {
    this.#asked.add(call);
    call.onSettled = () => this.#answered(call);
    const asked = new AskedCall(call, this.#route.pool?.deadlineOf(call));
    call.holder = asked;
    let result: unknown;
    try {
      call.register();
      result = method(this.#proxy.instance, call.target.name)(input, asked);
      if (call instanceof ProxiedStream) call.from(result, this.#place);
    } catch (error) {
      return void call.fail(asError(error), this.#place);
    }
    if (call instanceof PromiseCall)
      void Promise.resolve(result).then(
        answer => call.succeedChecked(answer),
        (error: unknown) => call.fail(asError(error), this.#place),
      );
  }

  #answered(call: Call): void {
    this.#asked.delete(call);
    this.#route.pool?.onFewerCalls();
  }

  get #place(): string {
    return `[proxy ${this.#proxy.instance.constructor.name}]`;
  }

  #instance(process: PooledProcess): object {
    return { ...process.publicView, worker: proxied(this.#route, process), own: direct(this.#route, this.#owner, process) };
  }
}

function method(instance: object, key: PropertyKey): (...args: unknown[]) => unknown {
  return ((instance as Record<PropertyKey, unknown>)[key] as (...args: unknown[]) => unknown).bind(instance);
}
