/** A started pool. */
export interface WorkerHandle {
  readonly name: string;
  readonly key: string | undefined;
  readonly state: 'starting' | 'ready' | 'stopping' | 'failed' | 'stopped';
}

/** One process of a started pool. */
export interface WorkerProcess {
  /** Never reused. `pid` is information: inline workers and threads share the master's. */
  readonly id: string;
  /** `'local'`, or the name of the machine that it runs on. */
  readonly host: string;
  readonly handle: WorkerHandle;
  readonly pid: number;
}
