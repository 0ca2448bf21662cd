import type { CallFacts, ConnectionView, Inspection, PoolFacts } from '../app/report/inspection-types.js';
import { LEVELS, type LogLevel, type LogTail } from './state/log-tail.js';
import type { History } from './state/history.js';
import type { Latencies } from './state/latencies.js';
import type { Recent } from './state/recent.js';
import type { Entry, Ring } from './state/ring.js';
import { epochNow } from '../system-timers.js';

/** The part of the application that one visitor looks at. */
export interface View {
  /** The pool whose processes are shown. */
  pool: string | undefined;
  poolPage: number;
  processPage: number;
  connectionPage: number;
  /** Text in a connection's id, class or address. */
  connectionFilter: string;
  callPage: number;
  logLevel: LogLevel;
}

export const FIRST_VIEW: Readonly<View> = {
  pool: undefined,
  poolPage: 0,
  processPage: 0,
  connectionPage: 0,
  connectionFilter: '',
  callPage: 0,
  logLevel: 'info',
};

/** Rows of one page of a list. */
export const PAGE = 50;
/** Rows of a list of what has happened. */
const LATEST = 50;
/** Rows of the log. */
const LOG_LINES = 200;

/** Sources of the data in views. */
export interface Sources {
  readonly inspection: Inspection;
  readonly history: History;
  readonly latencies: Latencies;
  readonly recent: Recent;
  readonly log: LogTail;
}

/** A list as it is told: which rows stand on this page, and how many there are. Rows are told under their own names. */
interface Listed {
  readonly page: number;
  readonly pages: number;
  readonly total: number;
  readonly rows: readonly string[];
}

/** Everything that a visitor sees, by name: facts of the whole, lists, and the rows of their pages. */
export type Told = Map<string, unknown>;

function pageOf(asked: number, total: number): { readonly page: number; readonly pages: number } {
  const pages = Math.max(1, Math.ceil(total / PAGE));
  return { page: Math.min(Math.max(0, asked), pages - 1), pages };
}

function list<T>(told: Told, name: string, all: readonly T[], asked: number, nameOf: (row: T) => string): readonly T[] {
  const { page, pages } = pageOf(asked, all.length);
  const rows = all.slice(page * PAGE, (page + 1) * PAGE);
  for (const row of rows) told.set(nameOf(row), row);
  told.set(name, { page, pages, total: all.length, rows: rows.map(nameOf) } satisfies Listed);
  return rows;
}

function latest<T>(told: Told, name: string, ring: Ring<T>, most: number = LATEST, fits?: (value: T) => boolean): void {
  const entries: readonly Entry<T>[] = ring.newest(most, fits);
  const nameOf = ({ number }: Entry<T>): string => `${name}/${number}`;
  for (const entry of entries) told.set(nameOf(entry), entry.value);
  told.set(name, { page: 0, pages: 1, total: ring.count, rows: entries.map(nameOf) } satisfies Listed);
}

/** Only the connections of the shown page are read; the others are just counted, if there is no filter. */
function connections(told: Told, inspection: Inspection, { connectionPage, connectionFilter }: View): void {
  const filter = connectionFilter.toLowerCase();
  const fits = ({ text }: ConnectionView): boolean => filter === '' || text.includes(filter);
  const from = Math.max(0, connectionPage) * PAGE;
  let total = 0;
  const rows: string[] = [];
  for (const view of inspection.connections()) {
    if (!fits(view)) continue;
    if (total >= from && rows.length < PAGE) {
      const name = `connection/${view.id}`;
      told.set(name, view.facts());
      rows.push(name);
    }
    total++;
    // Without a filter the count is known, and the other connections need not be visited.
    if (filter === '' && rows.length === PAGE) break;
  }
  if (filter === '') total = Math.max(total, inspection.connectionCount);
  const { pages } = pageOf(0, total);
  told.set('connections', { page: Math.max(0, connectionPage), pages, total, rows } satisfies Listed);
}

/** The oldest first: they are what an operator looks for. */
function calls(told: Told, inspection: Inspection, asked: number): void {
  const all = [...inspection.calls()].sort((a, b) => b.age - a.age);
  const rounded = all.map((call): CallFacts => ({ ...call, age: Math.round(call.age / 100) * 100 }));
  list(told, 'calls', rounded, asked, ({ process, number }) => `call/${process}/${number}`);
}

function totals(pools: readonly PoolFacts[]): { readonly running: number; readonly queued: number } {
  return pools.reduce((sum, { running, queued }) => ({ running: sum.running + running, queued: sum.queued + queued }), {
    running: 0,
    queued: 0,
  });
}

/** Reads all that a visitor sees. */
export function read({ inspection, history, latencies, recent, log }: Sources, view: View): Told {
  const told: Told = new Map();
  const pools = inspection.pools();
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  told.set('app', {
    pid: process.pid,
    node: process.version,
    startedAt: Math.round(epochNow() / 1_000 - process.uptime()) * 1_000,
    rss,
    heapUsed,
    heapTotal,
    external,
    connections: inspection.connectionCount,
    calls: totals(pools),
    loop: history.loop,
    history: { every: history.every, connections: history.connections, delays: history.delays },
    bounds: latencies.bounds,
  });
  told.set('listeners', inspection.listeners());
  told.set('dialers', inspection.dialers());
  const shown = list(told, 'pools', pools, view.poolPage, ({ id }) => `pool/${id}`);
  for (const { id } of shown) {
    told.set(`history/${id}`, history.pool(id));
    told.set(`latency/${id}`, latencies.pool(id));
  }
  const pool = pools.find(({ id }) => id === view.pool)?.id ?? shown[0]?.id;
  list(told, 'processes', pool === undefined ? [] : inspection.processes(pool), view.processPage, ({ id }) => `process/${id}`);
  told.set('pool', pool ?? null);
  connections(told, inspection, view);
  calls(told, inspection, view.callPage);
  latest(told, 'closed', recent.closed);
  latest(told, 'exits', recent.exits);
  latest(told, 'errors', recent.errors);
  const least = LEVELS[view.logLevel];
  latest(told, 'log', log.lines, LOG_LINES, ({ level }) => LEVELS[level] >= least);
  return told;
}
