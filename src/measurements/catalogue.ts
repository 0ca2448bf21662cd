/**
 * The metrics of an application, for every system that they go to. Names have dots, as OpenTelemetry's have; Prometheus has underscores in
 * their place, and kind and unit behind them.
 */

/** One metric: its name, what it says, and the labels of its values. */
export interface Described {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

const POOL = ['worker', 'key'] as const;

/** They only grow. */
export const COUNTERS = {
  done: { name: 'calls.done', help: 'Calls that were answered.', labels: POOL },
  failed: {
    name: 'calls.failed',
    help: 'Calls that ended with an error of their task, or were given up, by its code.',
    labels: [...POOL, 'code'],
  },
  crashed: { name: 'calls.crashed', help: 'Calls whose process died.', labels: POOL },
  timedOut: { name: 'calls.timed_out', help: 'Calls that ran longer than their timeout.', labels: POOL },
  refused: {
    name: 'calls.refused',
    help: 'Calls that were never begun: a full queue, a worker that is not there.',
    labels: [...POOL, 'code'],
  },
  retried: {
    name: 'calls.retried',
    help: 'Further attempts at calls whose process died: the call itself is counted by its end.',
    labels: POOL,
  },
  messages: { name: 'messages', help: 'Messages that were handled.', labels: ['handler', 'outcome'] },
  requests: { name: 'requests', help: 'Requests that were answered.', labels: ['handler', 'method', 'route', 'status'] },
  opened: { name: 'connections.opened', help: 'Connections and requests that were opened.', labels: ['handler'] },
  closed: {
    name: 'connections.closed',
    help: 'Connections and requests that are over, by what ended them.',
    labels: ['handler', 'by'],
  },
  rejected: { name: 'connections.rejected', help: 'Connections that were refused before they became one.', labels: ['reason'] },
  exits: { name: 'worker.exits', help: 'Worker processes that have ended.', labels: [...POOL, 'reason'] },
  restarts: { name: 'worker.restarts', help: 'Worker processes that were replaced.', labels: POOL },
} as const satisfies Record<string, Described>;

/** Times, in seconds. */
export const HISTOGRAMS = {
  run: { name: 'call.run', help: 'Time that calls ran in their process.', labels: [...POOL, 'task'] },
  wait: { name: 'call.wait', help: 'Time that calls waited before they ran.', labels: [...POOL, 'task'] },
  message: { name: 'message', help: 'Time from a message to its answer.', labels: ['handler'] },
  request: {
    name: 'request',
    help: 'Time from the head of a request to the end of its answer.',
    labels: ['handler', 'method', 'route'],
  },
} as const satisfies Record<string, Described>;

/** Bounds of the buckets of every histogram, in seconds. */
export const BUCKETS: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Read at the moment that they are asked for. */
export const GAUGES = {
  ready: { name: 'ready', help: '1 while the application is ready for traffic.', labels: [], unit: '' },
  processes: { name: 'worker.processes', help: 'Worker processes by state.', labels: [...POOL, 'state'], unit: '' },
  running: { name: 'calls.running', help: 'Calls that run.', labels: POOL, unit: '' },
  queued: { name: 'calls.queued', help: 'Calls that wait.', labels: POOL, unit: '' },
  connections: { name: 'connections', help: 'Connections and requests that are open.', labels: ['handler'], unit: '' },
  delay: {
    name: 'event_loop_delay',
    help: 'Delay of the event loop of the master since it was last asked for.',
    labels: ['quantile'],
    unit: 'seconds',
  },
  memory: {
    name: 'resident_memory',
    help: 'Resident memory by process; that of the master has no worker.',
    labels: [...POOL, 'process'],
    unit: 'bytes',
  },
} as const satisfies Record<string, Described & { readonly unit: '' | 'seconds' | 'bytes' }>;

export type CounterName = keyof typeof COUNTERS;
export type HistogramName = keyof typeof HISTOGRAMS;
export type GaugeName = keyof typeof GAUGES;

type LabelsOf<D extends Described> = Readonly<Partial<Record<D['labels'][number], string>>>;
export type CounterLabels<N extends CounterName> = LabelsOf<(typeof COUNTERS)[N]>;
export type HistogramLabels<N extends HistogramName> = LabelsOf<(typeof HISTOGRAMS)[N]>;
export type GaugeLabels<N extends GaugeName> = LabelsOf<(typeof GAUGES)[N]>;
