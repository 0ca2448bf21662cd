import { readdirSync, readlinkSync } from 'node:fs';
import { processesOf, type ProcessInfo } from './programs/process-table.js';

/** Set in this process's environment, so that what its children leave behind can be recognised. */
const MARKER_NAME = 'PACKET_TS_SPEC_RUN';
const marker = `${process.pid}-${Date.now().toString(36)}`;
process.env[MARKER_NAME] = marker;

/** What this process holds at one moment: name of each thing → how many. */
export type Holdings = ReadonlyMap<string, number>;

/** Node opens these when it pleases, and never closes them. */
const NODES_OWN = /^anon_inode:|^\/proc\/|\/dev\/(?:null|u?random|pts\/|tty)/;

function descriptors(): string[] {
  let numbers: string[];
  try {
    numbers = readdirSync('/proc/self/fd');
  } catch {
    return []; // no /proc: the other two still tell
  }
  return numbers.flatMap(number => {
    try {
      const target = readlinkSync(`/proc/self/fd/${number}`);
      return NODES_OWN.test(target) ? [] : [`descriptor ${number} → ${target}`];
    } catch {
      return []; // the descriptor that readdir itself used
    }
  });
}

/** What this run has started and what that has started, orphans included. */
export function ownProcesses(): ProcessInfo[] {
  return processesOf(process.pid, `${MARKER_NAME}=${marker}`);
}

/** Looks around: descriptors, active resources, child processes. */
export function holdings(): Holdings {
  const things = [
    ...descriptors(),
    ...process.getActiveResourcesInfo().map(type => `active resource ${type}`),
    ...ownProcesses().map(({ pid, command, state }) => `process ${pid} (${state}) ${command}`),
  ];
  const counts = new Map<string, number>();
  for (const thing of things) counts.set(thing, (counts.get(thing) ?? 0) + 1);
  return counts;
}

/** What is there now and was not there before. */
export function surplus(before: Holdings, now: Holdings): string[] {
  return [...now].flatMap(([thing, count]) => {
    const more = count - (before.get(thing) ?? 0);
    return more <= 0 ? [] : [more === 1 ? thing : `${more} × ${thing}`];
  });
}
