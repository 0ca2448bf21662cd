/** How events name a process. */
export interface ProcessNames {
  readonly app: string;
  readonly worker: string;
  readonly key: string | undefined;
  readonly process: string;
  readonly workerPid: number;
  readonly host: string;
}

/** The names of a process of that pool. */
export function processNames(
  pool: { readonly app: string; readonly handle: { readonly name: string; readonly key: string | undefined } },
  process: { readonly id: string; readonly pid: number; readonly publicView: { readonly host: string } },
): ProcessNames {
  const { name, key } = pool.handle;
  return { app: pool.app, worker: name, key, process: process.id, workerPid: process.pid, host: process.publicView.host };
}
