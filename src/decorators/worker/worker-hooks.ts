import type { AnySchema, SchemaOut } from '../../schema.js';
import type { EventsOf } from './client-types.js';
import type { Ctor } from '../ctor.js';
import type { Method, WorkerOrigin } from '../hook-types.js';
import { onMember } from '../metadata.js';
import type { ExitReason, WorkerProcess } from './worker-types.js';

/**
 * On a connection: receives the answer to a `tell` that this instance made; of one worker only, if a class is given. Its return value is
 * sent.
 * @example @OnWorkerData(Search, Hits) show(hits: Hits) { return hits; }
 */
// oxlint-disable-next-line typescript/no-explicit-any -- the mailbox is untyped unless a schema says more
export function OnWorkerData<W extends object>(worker?: Ctor<W>): Method<(data: any) => unknown>;
export function OnWorkerData<W extends object, S extends AnySchema>(
  worker: Ctor<W> | undefined,
  schema: S,
): Method<(data: SchemaOut<S>) => unknown>;
export function OnWorkerData(worker?: Ctor, schema?: AnySchema): Method<() => unknown> {
  return onMember({ decorator: 'OnWorkerData', worker, schema });
}

/**
 * On a connection: receives an event of a call that this instance made. Its return value is sent.
 * @example @OnWorkerEvent(Render, 'progress') progress(percent: number, { tag }: WorkerOrigin) { return `${tag} ${percent} %`; }
 */
export function OnWorkerEvent<W extends object, N extends keyof EventsOf<W> & string>(
  worker: Ctor<W>,
  name: N,
): Method<(payload: EventsOf<W>[N], from: WorkerOrigin) => unknown> {
  return onMember({ decorator: 'OnWorkerEvent', worker, event: name });
}

/** On a provider: called when a process of that worker has started and is ready. */
export function OnWorkerStart<W extends object>(worker: Ctor<W>): Method<(process: WorkerProcess) => unknown> {
  return onMember({ decorator: 'OnWorkerStart', worker });
}

/** On a provider: called when a process of that worker has exited. */
export function OnWorkerExit<W extends object>(worker: Ctor<W>): Method<(process: WorkerProcess, why: ExitReason) => unknown> {
  return onMember({ decorator: 'OnWorkerExit', worker });
}
