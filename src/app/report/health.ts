import type { BoundAddress } from '../../endpoints/endpoint.js';
import type { WorkerHandle, WorkerStatus } from '../../decorators/worker/worker-types.js';

/** How far an application is. */
export type AppState = 'starting' | 'running' | 'closing' | 'closed';

/** Result of `app.health()`. */
export interface Health {
  /** The application has not ended: a supervisor need not start it anew. */
  readonly live: boolean;
  /** The application takes traffic. */
  readonly ready: boolean;
  readonly details: {
    readonly state: AppState;
    /** Connection classes that listen or dial, and how many of their connections (and requests) are open in the master. */
    readonly handlers: readonly { readonly handler: string; readonly urls: readonly string[]; readonly connections: number }[];
    /** Started workers: processes that take calls, calls that run and wait. */
    readonly workers: readonly WorkerHealth[];
  };
}

/** One started worker. */
export interface WorkerHealth {
  readonly worker: string;
  readonly key: string | undefined;
  /** 'failed': no process can be started, calls are refused. */
  readonly state: WorkerHandle['state'];
  readonly processes: number;
  readonly running: number;
  readonly queued: number;
}

/** Facts that health is computed from. */
export interface HealthFacts {
  readonly state: AppState;
  readonly handlers: Iterable<readonly [handler: string, addresses: readonly Pick<BoundAddress, 'url'>[], connections: number]>;
  readonly handles: readonly WorkerHandle[];
  readonly rows: readonly WorkerStatus[];
}

function workerHealth({ name, key, state }: WorkerHandle, rows: readonly WorkerStatus[]): WorkerHealth {
  const own = rows.filter(row => row.name === name && row.key === key);
  const processes = own.filter(row => row.state === 'ready').length;
  const running = own.reduce((sum, row) => sum + row.running, 0);
  return { worker: name, key, state, processes, running, queued: own[0]?.pool.queued ?? 0 };
}

/** Ready: it runs, and no started worker is one that cannot be started. One that is about to be replaced, or stops by itself, is no news. */
export function healthOf({ state, handlers, handles, rows }: HealthFacts): Health {
  const workers = handles.map(handle => workerHealth(handle, rows));
  return {
    live: state !== 'closed',
    ready: state === 'running' && workers.every(worker => worker.state !== 'failed'),
    details: {
      state,
      handlers: [...handlers].map(([handler, addresses, connections]) => ({ handler, urls: addresses.map(({ url }) => url), connections })),
      workers,
    },
  };
}
