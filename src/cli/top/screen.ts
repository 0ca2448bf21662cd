import type { CallFacts, ListenerFacts, PoolFacts } from '../../app/report/inspection-types.js';
import { printable } from '../../errors/printable.js';

/** One application, as the process that runs it tells. */
export interface TopApp {
  readonly name: string;
  readonly listeners: readonly ListenerFacts[];
  readonly connections: number;
  readonly pools: readonly PoolFacts[];
  /** The oldest calls in flight. */
  readonly calls: readonly CallFacts[];
}

/** Everything that one look at a running command brings. */
export interface TopFacts {
  readonly pid: number;
  /** Bytes. */
  readonly rss: number;
  /** Seconds. */
  readonly uptime: number;
  readonly apps: readonly TopApp[];
}

const MB = 1024 * 1024;

function table(head: readonly string[], rows: readonly (readonly string[])[], width: number): readonly string[] {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map(row => row[at]!.length)));
  // Numbers stand below each other, names begin below each other.
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (/^[\d.,]+$/.test(rows[0]?.[at] ?? '') ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join('  ')
      .trimEnd()
      .slice(0, width);
  return [line(head), ...rows.map(line)];
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

function poolRow(facts: PoolFacts): readonly string[] {
  const { id, state, paused, processes, isRemote, remote, min, max, running, queued, done, failed, restarts, rss } = facts;
  const here = isRemote ? [] : [`${processes} (${min}-${max})`];
  const size = [...here, ...(remote > 0 || isRemote ? [`${remote} remote`] : [])].join(' + ');
  const numbers = [running, queued, done, failed, restarts, Math.round(rss / MB)].map(String);
  return [printable(id, 30), paused ? 'paused' : state, size, ...numbers];
}

/** The lines of the live view: at most so many, each at most so wide. */
export function screenOf({ pid, rss, uptime, apps }: TopFacts, width: number, height: number): readonly string[] {
  const lines = [`packet-ts  pid ${pid}  up ${Math.round(uptime)} s  ${Math.round(rss / MB)} MB`];
  for (const { name, listeners, connections, pools, calls } of apps) {
    lines.push('', `${printable(name, 60)}: ${connections} connections`);
    for (const { handler, url, connections: open } of listeners)
      lines.push(`  ${printable(handler, 40)} on ${printable(url, 80)}: ${open}`);
    if (pools.length > 0)
      lines.push(
        '',
        ...table(['POOL', 'STATE', 'PROCESSES', 'RUN', 'WAIT', 'DONE', 'FAILED', 'RESTARTS', 'MB'], pools.map(poolRow), width),
      );
    const rows = calls.map(({ pool, task, state, age, pid, host }) => [
      printable(pool, 30),
      printable(task, 30),
      state,
      seconds(age),
      pid === undefined ? printable(host, 30) : String(pid),
    ]);
    if (rows.length > 0) lines.push('', ...table(['CALL TO', 'TASK', 'STATE', 'AGE S', 'PROCESS'], rows, width));
  }
  return lines.slice(0, height).map(line => line.slice(0, width));
}
