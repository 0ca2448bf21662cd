import type { WorkerBlueprint } from '../../blueprint/types.js';
import { ProfileError, UsageError } from '../../errors.js';
import type { Ctor } from '../../decorators/ctor.js';
import type { BoundAddress } from '../../endpoints/endpoint.js';
import { ownProfile } from '../../profiling/own-profile.js';
import type { ProfileRequest } from '../../profiling/profile-request.js';
import type { Dialer, Listener, ReactorCore } from '../../reactor/index.js';
import { closeReason } from '../../session/close-reasons.js';
import type { Session } from '../../session/session.js';
import type { Pool } from '../../workers/pool/pool.js';
import { scale } from '../../workers/pool/scale.js';
import type { PooledProcess } from '../../workers/process/pooled-process.js';
import type { Workforce } from '../../workers/workforce.js';
import { callFacts, connectionFacts, poolFacts, poolId, processFacts } from './inspection-facts.js';
import { processProfile } from './process-profile.js';
import type { CallFacts, ConnectionView, DialerFacts, Inspection, ListenerFacts, PoolFacts, ProcessFacts } from './inspection-types.js';

/** The application that an inspection looks at. */
export interface Inspected {
  readonly name: string;
  readonly workforce: Workforce;
}

/** Its parts that nothing else may reach. */
export interface InspectedParts {
  readonly core: ReactorCore;
  readonly listening: ReadonlyMap<Ctor, readonly Listener[]>;
  readonly dialers: ReadonlyMap<Ctor, readonly { readonly dialer: Dialer; readonly url: string }[]>;
}

/** Reads a running application from its own objects, when it is asked: nothing is kept, and nothing costs anything meanwhile. */
export class AppInspection implements Inspection {
  readonly #inspected: Inspected;
  readonly #workers: readonly WorkerBlueprint[];
  readonly #parts: InspectedParts;
  readonly #views = new WeakMap<Session, ConnectionView>();

  constructor(inspected: Inspected, workers: readonly WorkerBlueprint[], parts: InspectedParts) {
    this.#inspected = inspected;
    this.#workers = workers;
    this.#parts = parts;
  }

  get name(): string {
    return this.#inspected.name;
  }

  listeners(): readonly ListenerFacts[] {
    const { workforce } = this.#inspected;
    const inside = this.#workers.flatMap(worker =>
      workforce.serving(worker.name).listeners.map(({ name, url }) => ({ handler: `${name} in ${worker.name}`, url, connections: 0 })),
    );
    return [...this.ownListeners(), ...inside];
  }

  /** Those of the master. */
  ownListeners(): readonly ListenerFacts[] {
    const { listening, core } = this.#parts;
    return [...listening].flatMap(([cls, listeners]) =>
      listeners.flatMap(listener => {
        // A socket that is a connection itself takes none in.
        const connections = listener.isConnection ? core.count(cls) : listener.connections;
        return listener.addresses.map(({ url }) => ({ handler: cls.name, url, connections }));
      }),
    );
  }

  /** Where the classes of the master listen. */
  addresses(): (readonly [cls: Ctor, addresses: readonly BoundAddress[]])[] {
    return [...this.#parts.listening].map(([cls, listeners]) => [cls, listeners.flatMap(({ addresses }) => addresses)]);
  }

  dialers(): readonly DialerFacts[] {
    return [...this.#parts.dialers].flatMap(([cls, dialers]) =>
      dialers.map(({ dialer: { state, attempts }, url }) => ({ handler: cls.name, url, state, attempts })),
    );
  }

  pools(): readonly PoolFacts[] {
    return this.#inspected.workforce.pools.map(poolFacts);
  }

  processes(pool: string): readonly ProcessFacts[] {
    const found = this.#inspected.workforce.pools.find(each => poolId(each) === pool);
    return found ? processFacts(found) : [];
  }

  get connectionCount(): number {
    return this.#parts.core.count();
  }

  *connections(): Iterable<ConnectionView> {
    for (const session of this.#parts.core.sessions()) yield this.#viewOf(session);
  }

  *calls(): Iterable<CallFacts> {
    const { workforce } = this.#inspected;
    const now = workforce.clock.now();
    for (const pool of workforce.pools) yield* callFacts(pool, now);
  }

  /** Another process has taken over: see ReactorCore. */
  async handOver(): Promise<void> {
    await Promise.all([this.#parts.core.handOver(), this.#inspected.workforce.endConnections('handOver')]);
  }

  disconnect(connection: string): boolean {
    for (const session of this.#parts.core.sessions()) {
      if (session.id !== connection) continue;
      session.state.destroy(closeReason('local ADMIN'));
      return true;
    }
    return false;
  }

  killProcess(process: string): boolean {
    const found = this.#find(process);
    found?.process.kill('signal');
    return found !== undefined;
  }

  restartProcess(process: string): boolean {
    const found = this.#find(process);
    found?.pool.processSet.retire(found.process);
    return found !== undefined;
  }

  async restartPool(pool: string): Promise<void> {
    const { processSet, remote } = this.#pool(pool);
    await Promise.all([processSet.restart(), remote?.restart()]);
  }

  pausePool(pool: string, paused: boolean): void {
    this.#pool(pool).dispatcher.setPaused(paused);
  }

  scalePool(pool: string, min: number, max: number): void {
    scale(this.#pool(pool), min, max);
  }

  profile(process: string | undefined, request: ProfileRequest, signal: AbortSignal): AsyncIterableIterator<Uint8Array> {
    if (process === undefined) return ownProfile(request, { signal });
    const found = this.#find(process);
    if (!found) throw new ProfileError('unavailable', `process ${process} is gone`);
    return processProfile(found.pool, found.process, request, signal);
  }

  /** The view of a session, kept: a filter looks at all of them again and again. */
  #viewOf(session: Session): ConnectionView {
    let view = this.#views.get(session);
    if (!view) {
      const { id, settings, transport } = session;
      const text = `${id} ${settings.plan.name} ${transport.remote.url}`.toLowerCase();
      this.#views.set(session, (view = { id, text, facts: () => connectionFacts(session) }));
    }
    return view;
  }

  #find(wanted: string): { readonly pool: Pool; readonly process: PooledProcess } | undefined {
    for (const pool of this.#inspected.workforce.pools) {
      const process = pool.processSet.all.find(({ id }) => id === wanted);
      if (process) return { pool, process };
    }
    return undefined;
  }

  #pool(id: string): Pool {
    const pool = this.#inspected.workforce.pools.find(each => poolId(each) === id);
    if (!pool) throw new UsageError(`there is no pool ${id}: it is not started`);
    return pool;
  }
}
