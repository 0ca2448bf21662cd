import { availableParallelism } from 'node:os';
import type { WorkerOptions } from '../../decorators/worker/worker-types.js';
import { hostNamed } from '../../hosts/registry.js';
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

/** Every option of `@Worker`: the compiler holds it to the types. */
export const workerRules: Rules = {
  autoLoad: flag,
  proxy: callable,
  minWorkers: count(0),
  maxWorkers: either(count(1), oneOf('cores')),
  spare: count(0),
  idleTimeout: duration,
  concurrency: count(1),
  prefetch: either(oneOf('auto'), count(0)),
  maxQueue: count(0, true),
  maxQueueBytes: size,
  maxQueuePerCaller: count(0, true),
  queueTimeout: duration,
  timeout: duration,
  softTimeout: duration,
  cancelGrace: duration,
  startTimeout: duration,
  closeTimeout: duration,
  drainTimeout: duration,
  stallTimeout: duration,
  waitForHost: duration,
  maxMessageSize: size,
  runtime: oneOf('process', 'thread', 'inline'),
  accept: oneOf('master', 'shared'),
  restart: shape({ maxFailedStarts: count(1), within: duration, delay: duration, maxDelay: duration }),
  heartbeat: either(shape({ every: duration, grace: duration }, ['every', 'grace']), off),
  maxTasksPerWorker: count(0, true),
  maxMemory: size,
  resourceLimits: shape({ maxOldGenerationSizeMb: number(1), maxYoungGenerationSizeMb: number(1), stackSizeMb: number(1) }),
  execArgv: texts,
  argv: texts,
  cwd: text,
  env: object,
  uid: count(0),
  gid: count(0),
  permissions: shape({ read: texts, write: texts, childProcess: flag, workerThreads: flag, addons: flag }),
  startOptions: schema,
  connections: list,
  providers: list,
  imports: list,
  validate: oneOf('receiver', 'both', 'off'),
  source: text,
} satisfies Record<keyof WorkerOptions, Rule>;

type Written = Readonly<Record<string, unknown>>;

function milliseconds<D>(options: Written, name: string, missing: D): number | D {
  const value = options[name] as Duration | undefined;
  return value === undefined ? missing : toMilliseconds(value);
}

function bytes(options: Written, name: string, missing: Size): number {
  return toBytes((options[name] as Size | undefined) ?? missing);
}

/** A count; `false` is 0, "off". */
function amount<D>(options: Written, name: string, missing: D): number | D {
  const value = options[name] as number | false | undefined;
  return value === undefined ? missing : value === false ? 0 : value;
}

function readRestart(written: Written): WorkerSettings['restart'] {
  return {
    maxFailedStarts: amount(written, 'maxFailedStarts', 5),
    within: milliseconds(written, 'within', 10_000),
    delay: milliseconds(written, 'delay', 100),
    maxDelay: milliseconds(written, 'maxDelay', 10_000),
  };
}

function readHeartbeat(written: unknown): WorkerSettings['heartbeat'] {
  if (written === false) return false;
  const { every, grace } = { every: 5_000, grace: 15_000, ...(written as { every: Duration; grace: Duration } | undefined) };
  return toMilliseconds(every) === 0 ? false : { every: toMilliseconds(every), grace: toMilliseconds(grace) };
}

/** Options that were checked, with every default filled in. */
export function toSettings(options: Written): WorkerSettings {
  // Options passed on unchanged have the type that their rule tests.
  const plain = options as Pick<WorkerSettings, 'resourceLimits' | 'execArgv' | 'argv' | 'cwd' | 'env' | 'uid' | 'gid' | 'permissions'> &
    Partial<WorkerSettings>;
  return {
    autoLoad: plain.autoLoad ?? true,
    minWorkers: plain.minWorkers ?? 1,
    // Never too few for the other two, however small the machine.
    maxWorkers:
      options['maxWorkers'] === 'cores'
        ? Math.max(availableParallelism(), plain.minWorkers ?? 1, plain.spare ?? 0)
        : (plain.maxWorkers ?? 1),
    spare: plain.spare ?? 0,
    idleTimeout: milliseconds(options, 'idleTimeout', 60_000),
    concurrency: plain.concurrency ?? 1,
    prefetch: plain.prefetch ?? 'auto',
    maxQueue: amount(options, 'maxQueue', 10_000),
    maxQueueBytes: bytes(options, 'maxQueueBytes', '256mb'),
    maxQueuePerCaller: amount(options, 'maxQueuePerCaller', undefined),
    queueTimeout: milliseconds(options, 'queueTimeout', undefined),
    timeout: milliseconds(options, 'timeout', 0),
    softTimeout: milliseconds(options, 'softTimeout', 0),
    cancelGrace: milliseconds(options, 'cancelGrace', 5_000),
    startTimeout: milliseconds(options, 'startTimeout', 30_000),
    closeTimeout: milliseconds(options, 'closeTimeout', 10_000),
    drainTimeout: milliseconds(options, 'drainTimeout', 300_000),
    stallTimeout: milliseconds(options, 'stallTimeout', 30_000),
    waitForHost: milliseconds(options, 'waitForHost', 5_000),
    maxMessageSize: bytes(options, 'maxMessageSize', '16mb'),
    runtime: plain.runtime ?? 'process',
    accept: plain.accept ?? 'master',
    restart: readRestart((options['restart'] ?? {}) as Written),
    heartbeat: readHeartbeat(options['heartbeat']),
    maxTasksPerWorker: amount(options, 'maxTasksPerWorker', 0),
    maxMemory: bytes(options, 'maxMemory', 0),
    resourceLimits: plain.resourceLimits ?? {},
    execArgv: plain.execArgv ?? [],
    argv: plain.argv ?? [],
    cwd: plain.cwd,
    env: plain.env,
    uid: plain.uid,
    gid: plain.gid,
    permissions: plain.permissions,
    validate: plain.validate ?? 'receiver',
  };
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
