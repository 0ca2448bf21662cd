import { readFileSync } from 'node:fs';

/** Memory of a process that no other process shares and that is not on disk (Private_Dirty), in MB of 1024². Linux only. */
export function ownMemory(pid: number): number {
  const kilobytes = /^Private_Dirty:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}
