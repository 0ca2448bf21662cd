import type { WorkerBlueprint } from '../../blueprint/types.js';
import { ProfileError, UsageError } from '../../errors.js';
import type { Ctor } from '../../decorators/ctor.js';
import type { BoundAddress } from '../../endpoints/endpoint.js';
import { ownProfile } from '../../profiling/own-profile.js';
import type { ProfileRequest } from '../../profiling/profile-request.js';
import type { Dialer, ReactorCore } from '../../reactor/index.js';
import { closeReason } from '../../session/close-reasons.js';
import type { Session } from '../../session/session.js';
import type { Pool } from '../../workers/pool/pool.js';
import { scale } from '../../workers/pool/scale.js';
import type { PooledProcess } from '../../workers/process/pooled-process.js';
import type { Workforce } from '../../workers/workforce.js';
import { brief } from './brief.js';
import { processProfile } from './process-profile.js';
import type {
  CallFacts,
  ConnectionFacts,
  ConnectionView,
  DialerFacts,
  Inspection,
  ListenerFacts,
  PoolFacts,
  ProcessFacts,
} from './inspection-types.js';

/** The application that an inspection looks at. */
export interface Inspected {
  readonly name: string;
  readonly workforce: Workforce;
}

/** Its parts that nothing else may reach. */
export interface InspectedParts {
  readonly core: ReactorCore;
  readonly addresses: ReadonlyMap<Ctor, readonly BoundAddress[]>;
  readonly dialers: ReadonlyMap<Ctor, readonly { readonly dialer: Dialer; readonly url: string }[]>;
}

function idOf({ worker: { name }, key }: Pool): string {
  return key === undefined ? name : `${name}[${key}]`;
}

function connectionFacts(session: Session): ConnectionFacts {
  const { id, settings, transport, openedAt, bytesRead, peer, origin } = session;
  return {
    id,
    handler: settings.plan.name,
    remote: transport.remote.url,
    local: transport.local.url,
    openedAt,
    bytesRead,
    bytesWritten: peer.bytesWritten,
    buffered: peer.bufferedBytes,
    dialled: origin === undefined,
  };
}

function processFacts(pool: string, process: PooledProcess): ProcessFacts {
  const { id, pid, state, inFlight, heartbeat, connections, startedAt, lastStatus } = process;
  return {
    id,
    pool,
    pid,
    state,
    running: inFlight.running,
    queued: inFlight.size - inFlight.running,
    done: inFlight.done,
    failed: inFlight.failed,
    rss: heartbeat.rss,
    connections,
    startedAt: startedAt.getTime(),
    status: lastStatus === undefined ? undefined : brief(lastStatus),
  };
}

function poolFacts(pool: Pool): PoolFacts {
  const { handle, worker, processSet } = pool;
  const { minWorkers, maxWorkers, runtime } = worker.settings;
  const totals = { running: 0, queued: pool.queued, ...pool.countsOfEnded, rss: 0, connections: 0 };
  for (const { inFlight, heartbeat, connections } of processSet.all) {
    totals.running += inFlight.running;
    totals.queued += inFlight.size - inFlight.running;
    totals.done += inFlight.done;
    totals.failed += inFlight.failed;
    totals.rss += heartbeat.rss ?? 0;
    totals.connections += connections;
  }
  return {
    id: idOf(pool),
    state: handle.state,
    paused: pool.dispatcher.isPaused,
    runtime,
    source: worker.source?.url,
    processes: processSet.all.length,
    min: minWorkers,
    max: maxWorkers,
    ...totals,
    restarts: processSet.restarts,
  };
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
    const { addresses, core } = this.#parts;
    return [...addresses].flatMap(([cls, bound]) => bound.map(({ url }) => ({ handler: cls.name, url, connections: core.count(cls) })));
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
    const found = this.#inspected.workforce.pools.find(each => idOf(each) === pool);
    return found ? found.processSet.all.map(process => processFacts(pool, process)) : [];
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
    for (const pool of workforce.pools) {
      for (const { id, pid, inFlight } of pool.processSet.all) {
        for (const call of inFlight.calls()) {
          yield {
            pool: idOf(pool),
            task: call.target.name,
            process: id,
            pid,
            number: call.id,
            caller: call.caller,
            state: call.isSettled ? 'given up' : call.began < 0 ? 'waiting' : 'running',
            age: call.began < 0 ? 0 : now - call.began,
            attempt: call.attempt,
          };
        }
      }
    }
  }

  /** Another process has taken over: see ReactorCore. */
  async handOver(within: number): Promise<void> {
    await this.#parts.core.handOver(within);
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
    await this.#pool(pool).processSet.restart();
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
    const pool = this.#inspected.workforce.pools.find(each => idOf(each) === id);
    if (!pool) throw new UsageError(`there is no pool ${id}: it is not started`);
    return pool;
  }
}
