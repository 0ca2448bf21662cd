import { availableParallelism } from 'node:os';
import type { WorkerOptions } from '../../decorators/worker/worker-types.js';
import { hostNamed } from '../../hosts/registry.js';
import { RUNTIMES } from '../../hosts/runtimes.js';
import { toBytes, toMilliseconds, type Duration, type Size } from '../../units.js';
import type { Report } from '../mistakes.js';
import {
  callable,
  count,
  duration,
  either,
  flag,
  list,
  number,
  object,
  off,
  oneOf,
  schema,
  shape,
  size,
  text,
  texts,
  type Rule,
  type Rules,
} from '../option-rules.js';
import type { WorkerSettings } from '../types.js';

type Written = Readonly<Record<string, unknown>>;

/** One option: its rule, and the setting that a written value, or none, stands for. `options` has all that are written. */
interface Option<T> {
  readonly rule: Rule;
  readonly read: (value: unknown, options: Written) => T;
}

function time<D = never>(missing: number | D): Option<number | D> {
  return { rule: duration, read: value => (value === undefined ? missing : toMilliseconds(value as Duration)) };
}

function bytes(missing: Size): Option<number> {
  return { rule: size, read: value => toBytes((value as Size | undefined) ?? missing) };
}

/** A count that `false` switches off, which is 0. */
function limit<D = never>(missing: number | D): Option<number | D> {
  return { rule: count(0, true), read: value => (value === undefined ? missing : value === false ? 0 : (value as number)) };
}

/** Passed on as it is written: the rule tests what its type says. */
function as<T>(rule: Rule, missing: T): Option<T> {
  return { rule, read: value => (value as T | undefined) ?? missing };
}

const RESTART = {
  maxFailedStarts: limit(5),
  within: time(10_000),
  delay: time(100),
  maxDelay: time(10_000),
};

/** Never too few for the other two, however small the machine. */
function readMaxWorkers(value: unknown, { minWorkers, spare }: Written): number {
  if (value === 'cores')
    return Math.max(availableParallelism(), (minWorkers as number | undefined) ?? 1, (spare as number | undefined) ?? 0);
  return (value as number | undefined) ?? 1;
}

function readHeartbeat(written: unknown): WorkerSettings['heartbeat'] {
  if (written === false) return false;
  const { every, grace } = { every: 5_000, grace: 15_000, ...(written as { every: Duration; grace: Duration } | undefined) };
  return toMilliseconds(every) === 0 ? false : { every: toMilliseconds(every), grace: toMilliseconds(grace) };
}

/**
 * Every option of `@Worker` that is a setting, one row each: its rule and its default. The compiler holds the rows to the types; a spec
 * holds docs/workers.md to the rows; a host of `registerHost()` names those that it cannot keep.
 */
const SETTINGS: { readonly [K in keyof WorkerSettings]-?: Option<WorkerSettings[K]> } = {
  autoLoad: as(flag, true),
  minWorkers: as(count(0), 1),
  maxWorkers: { rule: either(count(1), oneOf('cores')), read: readMaxWorkers },
  spare: as(count(0), 0),
  idleTimeout: time(60_000),
  concurrency: as(count(1), 1),
  prefetch: as(either(oneOf('auto'), count(0)), 'auto'),
  maxQueue: limit(10_000),
  maxQueueBytes: bytes('256mb'),
  maxQueuePerCaller: limit(undefined),
  queueTimeout: time(undefined),
  timeout: time(0),
  softTimeout: time(0),
  cancelGrace: time(5_000),
  startTimeout: time(30_000),
  closeTimeout: time(10_000),
  drainTimeout: time(300_000),
  stallTimeout: time(30_000),
  waitForHost: time(5_000),
  maxMessageSize: bytes('16mb'),
  runtime: as(oneOf(...RUNTIMES), 'process'),
  accept: as(oneOf('master', 'shared'), 'master'),
  restart: {
    rule: shape({ ...rulesOf(RESTART), maxFailedStarts: count(1) }),
    read: value => settingsOf(RESTART, (value as Written | undefined) ?? {}),
  },
  heartbeat: { rule: either(shape({ every: duration, grace: duration }, ['every', 'grace']), off), read: readHeartbeat },
  maxTasksPerWorker: limit(0),
  maxMemory: bytes(0),
  resourceLimits: as(shape({ maxOldGenerationSizeMb: number(1), maxYoungGenerationSizeMb: number(1), stackSizeMb: number(1) }), {}),
  execArgv: as(texts, []),
  argv: as(texts, []),
  cwd: as(text, undefined),
  env: as(object, undefined),
  uid: as(count(0), undefined),
  gid: as(count(0), undefined),
  permissions: as(shape({ read: texts, write: texts, childProcess: flag, workerThreads: flag, addons: flag }), undefined),
  validate: as(oneOf('receiver', 'both', 'off'), 'receiver'),
};

/** Options of `@Worker` that are no settings: the blueprint reads them by itself. */
const OTHERS = {
  proxy: callable,
  startOptions: schema,
  connections: list,
  providers: list,
  imports: list,
  source: text,
} satisfies Record<Exclude<keyof WorkerOptions, keyof WorkerSettings>, Rule>;

/** The rule of every option of `@Worker`. */
export const workerRules: Rules = { ...rulesOf(SETTINGS), ...OTHERS };

function rulesOf(rows: Readonly<Record<string, Option<unknown>>>): Record<string, Rule> {
  return Object.fromEntries(Object.entries(rows).map(([name, { rule }]) => [name, rule]));
}

function settingsOf<T extends object>(rows: { readonly [K in keyof T]-?: Option<T[K]> }, options: Written): T {
  const entries = Object.entries<Option<unknown>>(rows).map(([name, { read }]) => [name, read(options[name], options)]);
  // Each row reads what its setting's type says.
  return Object.fromEntries(entries) as T;
}

/** Options that were checked, with every default filled in. */
export function toSettings(options: Written): WorkerSettings {
  return settingsOf(SETTINGS, options);
}

/** Options that are right by themselves and contradict each other. */
export function checkSettings(settings: WorkerSettings, member: string, report: Report): void {
  const { minWorkers, maxWorkers, spare, timeout, softTimeout, maxQueue, maxQueuePerCaller, uid, gid, restart } = settings;
  if (minWorkers > maxWorkers) report(member, `minWorkers (${minWorkers}) is above maxWorkers (${maxWorkers})`, 'raise maxWorkers');
  else if (spare > maxWorkers) report(member, `spare (${spare}) is above maxWorkers (${maxWorkers})`, 'raise maxWorkers');
  if ((uid === undefined) !== (gid === undefined)) {
    const [has, lacks] = uid === undefined ? ['gid', 'uid'] : ['uid', 'gid'];
    report(
      member,
      `${has} is written without ${lacks}`,
      `write both: a process that changes its ${has} alone keeps the rights of the old ${lacks}`,
    );
  }
  if (timeout && softTimeout >= timeout)
    report(member, `softTimeout (${softTimeout} ms) is not below timeout (${timeout} ms)`, 'the soft one comes first: lower it');
  if (maxQueue && maxQueuePerCaller && maxQueuePerCaller > maxQueue)
    report(member, `maxQueuePerCaller (${maxQueuePerCaller}) is above maxQueue (${maxQueue})`, 'lower it');
  if (restart.delay > restart.maxDelay)
    report(member, `restart.delay (${restart.delay} ms) is above restart.maxDelay (${restart.maxDelay} ms)`, 'lower it');
}

/**
 * Reports options that the runtime written in the decorator cannot keep. A runtime chosen elsewhere (tests, `spawn`) ignores them instead.
 */
export function checkRuntime(written: Written, member: string, report: Report): void {
  const { runtime, accept } = written as { runtime?: string; accept?: string };
  const host = runtime === undefined ? undefined : hostNamed(runtime);
  if (!host) return;
  const remedy = "remove it, or write runtime: 'process'";
  for (const option of host.cannotKeep) {
    if (written[option] !== undefined) report(member, `runtime '${host.runtime}' cannot keep ${option}`, remedy);
  }
  if (host.listensAlone && accept === 'shared') report(member, `runtime '${host.runtime}' cannot keep accept: 'shared'`, remedy);
}
