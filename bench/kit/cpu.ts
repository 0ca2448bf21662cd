import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Nanoseconds on a processor, first of three numbers. One thread of this process: the one that runs JavaScript. */
const MAIN_THREAD = `/proc/self/task/${process.pid}/schedstat`;
const KNOWN = existsSync(MAIN_THREAD);

/** Microseconds of processor time that one thread has had; 0 for one that has ended. */
function ofThread(path: string): number {
  try {
    return Number(readFileSync(path, 'latin1').split(' ', 1)[0]) / 1000;
  } catch {
    return 0;
  }
}

/**
 * Microseconds of processor time that the master's main thread has had: what contenders leave to the application.
 * Where the system does not tell threads apart it is the whole process, worker threads included.
 */
export function masterCpu(): number {
  return KNOWN ? ofThread(MAIN_THREAD) : ownCpu();
}

function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Microseconds of processor time, user and system, that all threads of a process have had; undefined where the system does not tell. */
export function cpuOf(pid: number): number | undefined {
  try {
    const folder = `/proc/${pid}/task`;
    return readdirSync(folder).reduce((sum, thread) => sum + ofThread(`${folder}/${thread}/schedstat`), 0);
  } catch {
    return undefined;
  }
}

/** The processes that this one has started, and those that they have. */
function descendants(): number[] {
  const children = new Map<number, number[]>();
  for (const name of KNOWN ? readdirSync('/proc') : []) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      // The parent stands behind the name, which may hold spaces.
      const parent = Number(
        readFileSync(`/proc/${pid}/stat`, 'latin1')
          .replace(/^.*\) /s, '')
          .split(' ')[1],
      );
      children.set(parent, [...(children.get(parent) ?? []), pid]);
    } catch {
      // It has ended meanwhile.
    }
  }
  const below = (pid: number): number[] => (children.get(pid) ?? []).flatMap(child => [child, ...below(child)]);
  return below(process.pid);
}

/** What burns a processor beside a bench is no contender's. */
const burners = new Set<number>();

export function ignoreCpuOf(pid: number): void {
  burners.add(pid);
}

/**
 * Microseconds of processor time, user and system, of this process and everything that it has started: while one contender works and the
 * others wait, what that one costs with its client.
 */
export async function spending<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly cpu: number }> {
  const pids = descendants().filter(pid => !burners.has(pid));
  const spent = (): number => pids.reduce((sum, pid) => sum + (cpuOf(pid) ?? 0), ownCpu());
  const before = spent();
  const result = await work();
  return { result, cpu: spent() - before };
}
