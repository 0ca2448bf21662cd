import diagnostics from 'node:diagnostics_channel';
import { careful } from '../diagnostics/careful.js';
import type { EventName, Events } from '../diagnostics/event-types.js';
import type { CallTrace, MessageTrace, RequestTrace } from '../diagnostics/trace-types.js';
import { callTraces, messageTraces, requestTraces } from '../diagnostics/traces.js';
import type { CounterLabels, CounterName, HistogramLabels, HistogramName } from './catalogue.js';
import { Codes } from './codes.js';

/** Where what is measured goes. */
export interface MeasurementSink {
  count<N extends CounterName>(counter: N, labels: CounterLabels<N>): void;
  record<N extends HistogramName>(histogram: N, labels: HistogramLabels<N>, seconds: number): void;
}

/** The seconds between two times in milliseconds. */
export function secondsBetween(from: number, to: number): number {
  return Math.max(0, to - from) / 1000;
}

/** Counts one call, once, by how it ended. */
function countCall(to: MeasurementSink, codes: Codes, { worker, key = '', task, outcome, code, queued, started, ended }: CallTrace): void {
  const pool = { worker, key };
  if (outcome === 'refused' || outcome === 'failed' || outcome === undefined)
    to.count(outcome === 'refused' ? 'refused' : 'failed', { ...pool, code: codes.of(code) });
  else to.count(outcome, pool);
  to.record('wait', { ...pool, task }, secondsBetween(queued, started ?? ended!));
  if (started !== undefined) to.record('run', { ...pool, task }, secondsBetween(started, ended!));
}

function countRequest(to: MeasurementSink, { handler, method, route = '', status, duration }: RequestTrace): void {
  to.count('requests', { handler, method, route, status: status === undefined ? 'none' : String(status) });
  to.record('request', { handler, method, route }, (duration ?? 0) / 1000);
}

function countMessage(to: MeasurementSink, { handler, outcome, started, ended }: MessageTrace): void {
  to.count('messages', { handler, outcome: outcome ?? 'failed' });
  to.record('message', { handler }, secondsBetween(started, ended!));
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
    const listener = careful(this.#app, this.#what, (message: unknown) => {
      if ((message as { readonly app?: unknown }).app === this.#app) observe(message as T);
    });
    diagnostics.subscribe(channel, listener);
    this.#ends.push(() => void diagnostics.unsubscribe(channel, listener));
  }
}

/** Measures what an application does from now on, until the subscriptions end. */
export function measure(to: MeasurementSink, from: Subscriptions, codes: Codes = new Codes()): void {
  from.onEnd<CallTrace>(callTraces, call => countCall(to, codes, call));
  from.onEnd<MessageTrace>(messageTraces, message => countMessage(to, message));
  from.onEnd<RequestTrace>(requestTraces, request => countRequest(to, request));
  from.onEvent('call.retry', ({ worker, key = '' }) => to.count('retried', { worker, key }));
  from.onEvent('worker.exit', ({ worker, key = '', reason }) => to.count('exits', { worker, key, reason }));
  from.onEvent('worker.restart', ({ worker, key = '' }) => to.count('restarts', { worker, key }));
  from.onEvent('connection.open', ({ handler }) => to.count('opened', { handler }));
  from.onEvent('connection.close', ({ handler, by }) => to.count('closed', { handler, by }));
  from.onEvent('listener.reject', ({ reason }) => to.count('rejected', { reason }));
}
