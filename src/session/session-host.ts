import type { Ctor } from '../blueprint/types.js';
import type { Clock } from '../clock.js';
import { publish } from '../diagnostics.js';
import { asError } from '../errors.js';
import type { Arrival, Remote } from '../endpoints/endpoint.js';
import type { MovedConnection } from '../workers/sockets/pool-listener-types.js';
import type { TimerHeap } from '../timing/timer-heap.js';
import type { BufferBudget } from './outbound/buffer-budget.js';
import type { HandlerPlan } from './handler/message-router.js';
import type { HandlerRunner } from './handler/handler-runner.js';
import type { HandOffOptions } from './peer-options.js';
import type { Settings } from './settings.js';
import type { Timers } from '../timing/timers.js';
import type { FlushScheduler } from '../timing/flush-scheduler.js';

/** Finds the worker to hand off to; returns what moves a connection there. Throws UsageError, NotCloneableError, WorkerNotFoundError. */
export type HandOffStarter = (worker: Ctor, options: HandOffOptions) => (what: MovedConnection) => Promise<void>;

/** A session, as far as its reactor's interface is concerned; the reactor knows the whole of it. */
export interface HostedSession {
  readonly settings: Settings;
}

/** A session's side of its reactor. */
export interface SessionHost {
  readonly clock: Clock;
  readonly flushScheduler: FlushScheduler;
  readonly timerHeap: TimerHeap;
  readonly timers: Timers;
  readonly budget: BufferBudget;
  /** Finds where connections are handed off to, and what moves one there; in the master only. Throws what speaks against it. */
  readonly handOffStarter?: HandOffStarter | undefined;
  /** Why connections are closed when the application closes: it ends, or another process has taken over. */
  readonly closingCode: 'SHUTDOWN' | 'RELOAD';
  /** A number never used before in this process. */
  nextId(): number;
  /** Delivers what is published on a channel until it is disposed. */
  subscribe(token: Ctor, listener: (item: unknown) => unknown): Disposable;
  /** Its transport is closed: it counts no more. */
  onSessionClosed(session: HostedSession): void;
  /** `@OnClose` has settled, and what was made for it is disposed. */
  onSessionFinished(session: HostedSession): void;
}

/** Where a connection came in. */
export interface SessionOrigin {
  /** The connection is over. */
  onConnectionOver(arrival: Arrival): void;
  /** Whether messages from there are taken, where many peers share the connection. */
  admits(from: Remote): boolean;
}

/** Starts what a connection owns by its decorators: timers and subscriptions. */
export function startOwned(host: SessionHost, plan: HandlerPlan, line: HandlerRunner, id: () => string): Disposable[] | undefined {
  const { channels, timers } = plan.blueprint;
  if (channels.length === 0 && timers.length === 0) return undefined;
  const owned: Disposable[] = channels.map(({ token, key }) => host.subscribe(token, item => line.runHook('OnChannel', [key], item)));
  const log = (error: unknown): void =>
    publish('timer.error', { app: plan.app, handler: plan.name, connection: id(), error: asError(error) });
  for (const { kind, delay, key } of timers) owned.push(host.timers[kind](delay, () => line.runTimer(key, log), log));
  return owned;
}
