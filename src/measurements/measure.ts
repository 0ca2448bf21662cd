import diagnostics from 'node:diagnostics_channel';
import { careful } from '../diagnostics/careful.js';
import type { EventName, Events } from '../diagnostics/event-types.js';
import type { CallTrace, MessageTrace, RequestTrace } from '../diagnostics/trace-types.js';
import { callTraces, messageTraces, requestTraces } from '../diagnostics/traces.js';
import type { CounterLabels, CounterName, HistogramLabels, HistogramName } from './catalogue.js';
import { Codes } from './codes.js';

/** A system that measurements go to. It is asked for each set of labels once, and what it gives is called for every measurement. */
export interface MeasurementSink {
  counter<N extends CounterName>(counter: N, labels: CounterLabels<N>): () => void;
  /** Takes seconds. */
  histogram<N extends HistogramName>(histogram: N, labels: HistogramLabels<N>): (seconds: number) => void;
}

/** The seconds between two times in milliseconds. */
export function secondsBetween(from: number, to: number): number {
  return Math.max(0, to - from) / 1000;
}

/** Values by the names of what they belong to, made when they are asked for first. */
export class Kept<V> {
  readonly #values = new Map<string, V>();
  readonly #make: (...names: readonly string[]) => V;

  constructor(make: (...names: readonly string[]) => V) {
    this.#make = make;
  }

  /** Names may have no control characters but in a key, which stands last or alone. */
  of(first: string, second = '', third = '', fourth = ''): V {
    const name = `${first}\n${second}\n${third}\n${fourth}`;
    let value = this.#values.get(name);
    if (value === undefined) this.#values.set(name, (value = this.#make(first, second, third, fourth)));
    return value;
  }
}

/** Counts each call once, by how it ended. */
function callCounter(to: MeasurementSink, codes: Codes): (call: CallTrace) => void {
  const failures = new Kept((outcome, code = '', worker = '', key = '') =>
    to.counter(outcome === 'refused' ? 'refused' : 'failed', { worker, key, code }),
  );
  const tasks = new Kept((task, worker = '', key = '') => {
    const pool = { worker, key };
    return {
      done: to.counter('done', pool),
      crashed: to.counter('crashed', pool),
      timedOut: to.counter('timedOut', pool),
      wait: to.histogram('wait', { ...pool, task }),
      run: to.histogram('run', { ...pool, task }),
    };
  });
  return ({ worker, key, task, outcome, code, queued, started, ended }) => {
    const series = tasks.of(task, worker, key);
    if (outcome === 'done' || outcome === 'crashed' || outcome === 'timedOut') series[outcome]();
    else failures.of(outcome ?? 'failed', codes.of(code), worker, key)();
    series.wait(secondsBetween(queued, started ?? ended!));
    if (started !== undefined) series.run(secondsBetween(started, ended!));
  };
}

function requestCounter(to: MeasurementSink): (request: RequestTrace) => void {
  const counters = new Kept((handler, method = '', status = '', route = '') => to.counter('requests', { handler, method, route, status }));
  const times = new Kept((handler, method = '', route = '') => to.histogram('request', { handler, method, route }));
  return ({ handler, method, route, status, duration }) => {
    counters.of(handler, method, status === undefined ? 'none' : String(status), route)();
    times.of(handler, method, route)((duration ?? 0) / 1000);
  };
}

function messageCounter(to: MeasurementSink): (message: MessageTrace) => void {
  const counters = new Kept((handler, outcome = '') => to.counter('messages', { handler, outcome }));
  const times = new Kept(handler => to.histogram('message', { handler }));
  return ({ handler, outcome, started, ended }) => {
    counters.of(handler, outcome ?? 'failed')();
    times.of(handler)(secondsBetween(started, ended!));
  };
}

/** Subscriptions to what one application publishes, which end together. */
export class Subscriptions {
  readonly #app: string;
  readonly #what: string;
  readonly #ends: (() => void)[] = [];

  /** `what` names the observer where it fails. */
  constructor(app: string, what: string) {
    this.#app = app;
    this.#what = what;
  }

  /** Calls `observe` for each event of that name. */
  onEvent<N extends EventName>(event: N, observe: (details: Events[N]) => void): void {
    this.#subscribe(`packet-ts:${event}`, observe);
  }

  /** Calls `observe` when something that the channel traces has ended. */
  onEnd<T extends object>(channel: { readonly asyncEnd: { readonly name: string | symbol } }, observe: (traced: T) => void): void {
    this.#subscribe(String(channel.asyncEnd.name), observe);
  }

  end(): void {
    for (const each of this.#ends.splice(0)) each();
  }

  #subscribe<T>(channel: string, observe: (message: T) => void): void {
    const app = this.#app;
    const listener = careful(app, this.#what, (message: unknown) => {
      if ((message as { readonly app?: unknown }).app === app) observe(message as T);
    });
    diagnostics.subscribe(channel, listener);
    this.#ends.push(() => void diagnostics.unsubscribe(channel, listener));
  }
}

/** Measures what an application does from now on, until the subscriptions end. */
export function measure(to: MeasurementSink, from: Subscriptions, codes: Codes = new Codes()): void {
  const pools = (counter: 'retried' | 'restarts'): Kept<() => void> => new Kept((worker, key = '') => to.counter(counter, { worker, key }));
  const [retried, restarts] = [pools('retried'), pools('restarts')];
  const exits = new Kept((reason, worker = '', key = '') => to.counter('exits', { worker, key, reason }));
  const opened = new Kept(handler => to.counter('opened', { handler }));
  const closed = new Kept((handler, by = '') => to.counter('closed', { handler, by }));
  const rejected = new Kept(reason => to.counter('rejected', { reason }));
  from.onEnd(callTraces, callCounter(to, codes));
  from.onEnd(messageTraces, messageCounter(to));
  from.onEnd(requestTraces, requestCounter(to));
  from.onEvent('call.retry', ({ worker, key }) => retried.of(worker, key)());
  from.onEvent('worker.exit', ({ worker, key, reason }) => exits.of(reason, worker, key)());
  from.onEvent('worker.restart', ({ worker, key }) => restarts.of(worker, key)());
  from.onEvent('connection.open', ({ handler }) => opened.of(handler)());
  from.onEvent('connection.close', ({ handler, by }) => closed.of(handler, by)());
  from.onEvent('listener.reject', ({ reason }) => rejected.of(reason)());
}
