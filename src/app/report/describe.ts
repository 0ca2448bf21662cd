import type { WorkerStatus } from '../../decorators/worker/worker-types.js';
import { brief } from './brief.js';
import type { DialerFacts, ListenerFacts } from './inspection-types.js';

/** The parts of an application that are shown. */
export interface Description {
  readonly listeners: readonly ListenerFacts[];
  readonly dialers: readonly DialerFacts[];
  readonly workers: readonly {
    readonly name: string;
    readonly status: readonly WorkerStatus[];
    /** For workers with connections inside. */
    readonly serving?: Serving | undefined;
  }[];
}

interface Serving {
  readonly listeners: readonly { readonly name: string; readonly url: string }[];
  /** By the id of the process. */
  readonly connections: ReadonlyMap<string, number>;
}

interface Node {
  readonly text: string;
  readonly children: readonly Node[];
}

const MB = 1024 * 1024;

function leaf(text: string): Node {
  return { text, children: [] };
}

function count(n: number, thing: string): string {
  return `${n} ${thing}${n === 1 ? '' : 's'}`;
}

function processNode(row: WorkerStatus, connections: number | undefined): Node {
  const memory = row.rss === undefined ? '' : `, ${Math.round(row.rss / MB)} MB`;
  const said = row.status === undefined ? '' : `, says ${brief(row.status)}`;
  const open = connections === undefined ? '' : `, ${count(connections, 'connection')}`;
  const where = row.host === undefined || row.host === 'local' ? '' : ` on ${row.host}`;
  return leaf(
    `pid ${row.pid ?? '–'}${where} ${row.state}: ${row.running} running, ${row.done} done, ${row.failed} failed${open}${memory}${said}`,
  );
}

function workerNodes(name: string, rows: readonly WorkerStatus[], serving: Serving | undefined): readonly Node[] {
  if (rows.length === 0) return [leaf(`${name}: not started`)];
  const keys = new Map<string | undefined, WorkerStatus[]>();
  for (const row of rows) keys.set(row.key, [...(keys.get(row.key) ?? []), row]);
  return [...keys].map(([key, pool]) => ({
    text: `${name}${key === undefined ? '' : `[${key}]`}: ${pool[0]!.pool.queued} queued, ${count(pool[0]!.restarts, 'restart')}`,
    children: [
      ...(serving?.listeners ?? []).map(listener => leaf(`${listener.name} on ${listener.url}`)),
      ...pool.map(row => processNode(row, serving?.listeners.length ? serving.connections.get(row.id ?? '') : undefined)),
    ],
  }));
}

function draw({ text, children }: Node): readonly string[] {
  return [
    text,
    ...children.flatMap((child, i) => {
      const last = i === children.length - 1;
      const [first, ...rest] = draw(child);
      return [`${last ? '└─' : '├─'} ${first!}`, ...rest.map(line => `${last ? '  ' : '│ '} ${line}`)];
    }),
  ];
}

/** The runtime tree as text, a line a node. */
export function describe({ listeners, dialers, workers }: Description): string {
  const root: Node = {
    text: `App (pid ${process.pid})`,
    children: [
      {
        text: 'Reactor',
        children: [
          ...listeners.map(({ handler, url, connections }) => leaf(`${handler} on ${url}: ${count(connections, 'connection')}`)),
          ...dialers.map(({ handler, url, state, attempts }) => leaf(`${handler} to ${url}: ${state}, ${count(attempts, 'attempt')}`)),
        ],
      },
      { text: 'Workforce', children: workers.flatMap(({ name, status, serving }) => workerNodes(name, status, serving)) },
    ],
  };
  return draw(root).join('\n');
}
