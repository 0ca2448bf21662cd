import { readdirSync, readFileSync } from 'node:fs';

/** One process, as /proc tells it. */
export interface ProcessInfo {
  readonly pid: number;
  readonly ppid: number;
  /** R running, S sleeping, T stopped, Z zombie … */
  readonly state: string;
  /** Ticks after boot: with the pid an identity that is never reused. */
  readonly startTime: string;
  readonly command: string;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined; // it has just ended, or belongs to somebody else
  }
}

/** One process; undefined when there is none (or no /proc). */
export function processInfo(pid: number): ProcessInfo | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name in parentheses may hold anything; what follows is counted from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const command = read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim();
  return {
    pid,
    state: fields[0]!,
    ppid: Number(fields[1]),
    startTime: fields[19]!,
    command: command || stat.slice(0, stat.lastIndexOf(')') + 1),
  };
}

/** Every process of this machine that can be seen. Empty where there is no /proc. */
export function allProcesses(): ProcessInfo[] {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return [];
  }
  return names.filter(name => /^\d+$/.test(name)).flatMap(name => processInfo(Number(name)) ?? []);
}

/**
 * The living descendants of a process; with `marker` also those that carry that text in their environment:
 * a detached child whose parent is gone is nobody's descendant any more. Zombies are dead.
 */
export function processesOf(pid: number, marker?: string): ProcessInfo[] {
  const all = allProcesses().filter(({ state }) => state !== 'Z');
  const parents = new Map(all.map(info => [info.pid, info.ppid]));
  const descends = (from: number): boolean => {
    for (let at = parents.get(from), steps = 0; at !== undefined && steps < 64; at = parents.get(at), steps += 1)
      if (at === pid) return true;
    return false;
  };
  return all.filter(
    info =>
      info.pid !== pid && (descends(info.pid) || (marker !== undefined && read(`/proc/${info.pid}/environ`)?.includes(marker) === true)),
  );
}
