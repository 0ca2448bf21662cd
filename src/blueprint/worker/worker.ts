import { checkReachable } from '../connection/reachable.js';
import { isAbsolute } from 'node:path';
import { RESERVED_TASK_NAMES } from '../../decorators/worker/task.js';
import { toUrl } from '../../decorators/worker/worker-source.js';
import type { WorkerOptions } from '../../decorators/worker/worker-types.js';
import type { Mistake } from '../../errors.js';
import { hostNamed } from '../../hosts/registry.js';
import { ownDeclarations } from '../../decorators/metadata.js';
import { readArounds } from '../arounds.js';
import { kindOf, lineage, mergedOptions, methodNames } from '../lineage.js';
import { keysOf, readData, readMembers, readTimers, validatorOf } from '../members.js';
import { cached, nameOf, reporter, type Reading, type Report } from '../mistakes.js';
import { checkOptions, show } from '../option-rules.js';
import { parameterMistakes, readParameters } from '../provider/parameters.js';
import { readTasks } from './tasks.js';
import { checkRuntime, checkSettings, toSettings, workerRules } from './worker-settings.js';
import type { Ctor, WorkerBlueprint } from '../types.js';

/** The worker's own `@Worker`: name and source are not inherited. */
function identity(cls: Ctor, importsSource: boolean, replaced: unknown, report: Report): Pick<WorkerBlueprint, 'name' | 'source'> {
  const own = ownDeclarations(cls).classes.find(declaration => declaration.kind === 'worker');
  if (!own) {
    const base = kindOf(cls) === 'worker' ? 'only its base class is a worker' : 'it is not a worker';
    report(undefined, base, "decorate it with @Worker('name')");
    return { name: nameOf(cls), source: undefined };
  }
  const { name, options } = own;
  const source = typeof replaced === 'string' ? { url: toUrl(replaced), sure: true } : own.source;
  if (typeof name !== 'string' || name === '') report('@Worker', `its name is ${show(name)}`, 'write a name that no other worker has');
  if (typeof options?.source === 'string' && !/^(file|data):/.test(options.source) && !isAbsolute(options.source)) {
    report('@Worker', `source is '${options.source}'`, 'write `source: import.meta.url`');
  }
  if (!source && importsSource) {
    report(
      '@Worker',
      'its module is not known, so no other process or thread can import it',
      'put it into a file, or write `source: import.meta.url`',
    );
  }
  return { name, source };
}

/** A class is always called with `new`: its prototype cannot be replaced, other than a function's. */
function isClass(value: Function): boolean {
  return kindOf(value) !== undefined || Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
}

/** `proxy: Class` or `proxy: () => Class`; what the function answers is checked where the application is read. */
function proxyOf(written: unknown): () => Ctor | undefined {
  if (typeof written !== 'function' || isClass(written)) return () => written as Ctor | undefined;
  return written as () => Ctor | undefined;
}

/** Why a worker class is read: 'master' to start its processes, 'worker' to be one of them. */
type Place = 'master' | 'worker';

function build(
  cls: Ctor,
  mistakes: Mistake[],
  overrides: Readonly<Record<string, unknown>> = {},
  place: Place = 'master',
): WorkerBlueprint {
  const report = reporter(nameOf(cls), mistakes);
  const written = checkOptions(mergedOptions(cls, 'worker'), workerRules, '@Worker', report);
  const options = { ...written, ...checkOptions(overrides, workerRules, 'options', report) };
  const settings = toSettings(options);
  const { name, source } = identity(
    cls,
    place === 'master' && hostNamed(settings.runtime)?.sharesMaster !== true,
    overrides['source'],
    report,
  );
  if (place === 'master') {
    checkSettings(settings, '@Worker', report);
    checkRuntime(written, '@Worker', report);
  }
  const members = readMembers(cls, 'worker', report);
  const tasks = readTasks(members, report);
  const startOptions = validatorOf(options['startOptions'], '@Worker', 'startOptions', report);
  const parameters = readParameters(cls);
  mistakes.push(...parameterMistakes(cls, parameters));
  checkReachable(cls, report);
  return {
    cls,
    name,
    className: nameOf(cls),
    source,
    settings,
    written: new Set(Object.keys(written)),
    tasks,
    others: methodNames(lineage(cls)).filter(method => !tasks.has(method) && !RESERVED_TASK_NAMES.includes(method)),
    mailbox: readData(members, report),
    start: keysOf(members, 'OnStart'),
    stop: keysOf(members, 'OnStop'),
    timers: readTimers(members, report),
    arounds: readArounds(cls, members, report),
    parameters,
    startOptions,
    proxy: proxyOf(options['proxy']),
    connections: (options['connections'] ?? []) as readonly Ctor[],
    imports: (options['imports'] ?? []) as readonly Ctor[],
    providers: (options['providers'] ?? []) as readonly unknown[],
  };
}

/** Reads a class with `@Worker`: tasks, settings with every default, hooks. */
export const readWorker = cached((cls, mistakes) => build(cls, mistakes));

/**
 * Reads a class with `@Worker` for the process that is this worker. How the pool is set up is checked by the master alone, which knows what
 * `spawn()`, tests and `bootstrap()` say in the decorator's place.
 */
export const readOwnWorker = cached((cls, mistakes) => build(cls, mistakes, {}, 'worker'));

/**
 * Reads a class with `@Worker` as if the decorator said something else, too: for `spawn(W, options)` and tests.
 * @example const blueprint = valid(overrideWorker(EvalWorker, { maxWorkers: 4 }));
 */
export function overrideWorker(cls: Ctor, overrides: Partial<WorkerOptions>): Reading<WorkerBlueprint> {
  const mistakes: Mistake[] = [];
  return { ...build(cls, mistakes, { ...overrides }), mistakes };
}
