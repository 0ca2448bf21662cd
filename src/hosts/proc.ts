import { readFileSync } from 'node:fs';

/** Facts that the system shows of a process without its help. Linux only: elsewhere each is undefined. */
export interface ProcessView {
  /** Resident bytes. */
  readonly rss: number | undefined;
  /** State T: it got SIGSTOP, and no message will be answered until SIGCONT. (A process under a debugger is in state t.) */
  readonly isStopped: boolean;
}

const UNKNOWN: ProcessView = { rss: undefined, isStopped: false };

function read(path: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

/** One look at a process; costs about 20 µs. `status` and not `stat`: it counts in kB, whatever a page is. */
export function viewProcess(pid: number): ProcessView {
  const text = pid > 0 ? read(`/proc/${pid}/status`) : undefined;
  if (text === undefined) return UNKNOWN;
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(text)?.[1];
  return { rss: rss === undefined ? undefined : Number(rss) * 1024, isStopped: /^State:\s+T/m.test(text) };
}

/** How many processes the kernel has killed for want of memory since it booted; undefined where it does not say. */
export function systemMemoryKills(): number | undefined {
  const count = /^oom_kill (\d+)$/m.exec(read('/proc/vmstat') ?? '')?.[1];
  return count === undefined ? undefined : Number(count);
}

/** The main thread's stack limit in bytes; undefined where it is unlimited or unknown. A larger `--stack-size` would end in SIGSEGV. */
export function systemStackLimit(): number | undefined {
  const limit = /^Max stack size\s+(\d+)/m.exec(read('/proc/self/limits') ?? '')?.[1];
  return limit === undefined ? undefined : Number(limit);
}
