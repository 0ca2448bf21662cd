import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { App } from '../app/app.js';

/** Seconds. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const POOL = ['worker', 'key'] as const;

/** The metrics of one registry, each with its help. `read` is called at a scrape and sets the gauges. */
export function instruments(registry: Registry, read: (gauges: Gauges) => void) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
    new Counter({ name: `packet_ts_${name}_total`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[]): Histogram<L> =>
    new Histogram({ name: `packet_ts_${name}_seconds`, help, labelNames, buckets: BUCKETS, registers });
  const gauges = gaugesOf(registry, () => read(gauges));
  return {
    gauges,
    done: counter('calls_done', 'Calls that were answered.', POOL),
    failed: counter('calls_failed', 'Calls that ended with an error of their task, or were given up, by its code.', [...POOL, 'code']),
    crashed: counter('calls_crashed', 'Calls whose process died.', POOL),
    timedOut: counter('calls_timed_out', 'Calls that ran longer than their timeout.', POOL),
    refused: counter('calls_refused', 'Calls that were never begun: a full queue, a worker that is not there.', [...POOL, 'code']),
    retried: counter('calls_retried', 'Further attempts at calls whose process died: the call itself is counted by its end.', POOL),
    run: histogram('call_run', 'Time that calls ran in their process.', [...POOL, 'task']),
    wait: histogram('call_wait', 'Time that calls waited before they ran.', [...POOL, 'task']),
    messages: counter('messages', 'Messages that were handled.', ['handler', 'outcome']),
    message: histogram('message', 'Time from a message to its answer.', ['handler']),
    requests: counter('requests', 'Requests that were answered.', ['handler', 'method', 'route', 'status']),
    request: histogram('request', 'Time from the head of a request to the end of its answer.', ['handler', 'method', 'route']),
    opened: counter('connections_opened', 'Connections and requests that were opened.', ['handler']),
    closed: counter('connections_closed', 'Connections and requests that are over, by what ended them.', ['handler', 'by']),
    rejected: counter('connections_rejected', 'Connections that were refused before they became one.', ['reason']),
    exits: counter('worker_exits', 'Worker processes that have ended.', [...POOL, 'reason']),
    restarts: counter('worker_restarts', 'Worker processes that were replaced.', POOL),
  };
}

export type Instruments = ReturnType<typeof instruments>;
export type Gauges = ReturnType<typeof gaugesOf>;

function gaugesOf(registry: Registry, read: () => void) {
  const registers = [registry];
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[], collect?: () => void): Gauge<L> =>
    new Gauge({ name: `packet_ts_${name}`, help, labelNames, registers, ...(collect && { collect }) });
  return {
    // The first one that a scrape asks reads all.
    up: gauge('ready', '1 while the application is ready for traffic.', [], read),
    processes: gauge('worker_processes', 'Worker processes by state.', [...POOL, 'state']),
    running: gauge('calls_running', 'Calls that run.', POOL),
    queued: gauge('calls_queued', 'Calls that wait.', POOL),
    connections: gauge('connections', 'Connections and requests that are open.', ['handler']),
    delay: gauge('event_loop_delay_seconds', 'Delay of the event loop of the master since the last scrape.', ['quantile']),
    rss: gauge('resident_memory_bytes', 'Resident memory by process; that of the master has no worker.', [...POOL, 'process']),
  };
}

/** Sets what is read from the application at a scrape. */
export function readApp(app: App, { up, processes, running, queued, connections, rss }: Gauges): void {
  for (const gauge of [processes, running, queued, connections, rss]) gauge.reset();
  const { ready, details } = app.health();
  up.set(ready ? 1 : 0);
  for (const { handler, connections: open } of details.handlers) connections.inc({ handler }, open);
  rss.set({ process: 'master' }, process.memoryUsage.rss());
  for (const row of app.workers.status()) {
    const pool = { worker: row.name, key: row.key ?? '' };
    queued.inc(pool, row.queued);
    running.inc(pool, row.running);
    if (row.id === undefined) continue;
    processes.inc({ ...pool, state: row.state });
    if (row.rss !== undefined) rss.set({ ...pool, process: row.id }, row.rss);
  }
}
