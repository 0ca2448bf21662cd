import type { MemberDeclaration } from '../../decorators/metadata.js';
import { readChannels } from '../channels.js';
import type { Framing } from '../../framing/framing.js';
import type { Mistake } from '../../errors.js';
import { checkWatermarks, connectionRules } from './connection-options.js';
import { readEndpoints, type EndpointUse } from './endpoints.js';
import { readArounds } from '../arounds.js';
import { readGuards } from './guards.js';
import { kindOf, mergedOptions } from '../lineage.js';
import { keysOf, namedWorker, readData, readMembers, readTimers, validatorOf } from '../members.js';
import { cached, nameOf, refuse, reporter, type Report } from '../mistakes.js';
import { checkOptions } from '../option-rules.js';
import { parameterMistakes, readParameters } from '../provider/parameters.js';
import { checkReachable } from './reachable.js';
import { checkTls } from './tls-options.js';
import { readWorker } from '../worker/worker.js';
import type { ConnectionBlueprint, Ctor, EndpointBlueprint, HookName, WorkerDataRoute, WorkerEventRoute } from '../types.js';
import { readRoutes } from './routes.js';

const HOOKS = {
  connect: 'OnConnect',
  secure: 'OnSecure',
  drain: 'OnDrain',
  idle: 'OnIdle',
  end: 'OnEnd',
  exit: 'OnExit',
  error: 'OnError',
  shutdown: 'OnShutdown',
  close: 'OnClose',
  request: 'OnRequest',
} as const satisfies Record<HookName, MemberDeclaration['decorator']>;

function readHooks(members: readonly MemberDeclaration[]): ConnectionBlueprint['hooks'] {
  return Object.fromEntries(
    Object.entries(HOOKS).map(([hook, decorator]) => [hook, keysOf(members, decorator)]),
  ) as unknown as ConnectionBlueprint['hooks'];
}

function readWorkerData(members: readonly MemberDeclaration[], report: Report): readonly WorkerDataRoute[] {
  return members.flatMap(member => {
    if (member.decorator !== 'OnWorkerData') return [];
    const validate = validatorOf(member.schema, member.key, 'the schema of @OnWorkerData', report);
    return [{ key: member.key, validate, worker: member.worker === undefined ? undefined : namedWorker(member.worker, member, report) }];
  });
}

function readWorkerEvents(members: readonly MemberDeclaration[], report: Report): readonly WorkerEventRoute[] {
  return members.flatMap(member => {
    if (member.decorator !== 'OnWorkerEvent') return [];
    const worker = namedWorker(member.worker, member, report);
    if (!worker) return [];
    const events = new Set([...readWorker(worker).tasks.values()].flatMap(task => [...task.events.keys()]));
    if (events.has(member.event as string)) return [{ key: member.key, worker, event: member.event as string }];
    const known =
      events.size > 0 ? `write one of ${[...events].map(name => `'${name}'`).join(', ')}, or` : 'none of its tasks declares events:';
    report(
      member.key,
      `${nameOf(worker)} declares no event '${String(member.event)}'`,
      `${known} declare it with @Task({ events: { … } })`,
    );
    return [];
  });
}

/** Endpoints without mistakes; a function among them is called each time. */
function endpointsOrThrow(
  cls: Ctor,
  written: unknown,
  options: Readonly<Record<string, unknown>>,
  use: EndpointUse,
): readonly EndpointBlueprint[] {
  const mistakes: Mistake[] = [];
  const endpoints = readEndpoints(written, options, use, reporter(nameOf(cls), mistakes));
  refuse(mistakes);
  return endpoints;
}

function build(cls: Ctor, mistakes: Mistake[]): ConnectionBlueprint {
  const report = reporter(nameOf(cls), mistakes);
  if (kindOf(cls) !== 'connection') report(undefined, 'it is not a connection', 'decorate it with @Connection()');
  const written = checkOptions(mergedOptions(cls, 'connection'), connectionRules, '@Connection', report);
  checkWatermarks(written, '@Connection', report);
  checkTls(written['tls'], '@Connection', report);
  const { listen, connect, ...options } = written;
  const members = readMembers(cls, 'connection', report);
  checkReachable(cls, report);
  const parameters = readParameters(cls);
  mistakes.push(...parameterMistakes(cls, parameters));
  return {
    cls,
    name: nameOf(cls),
    options,
    framing: options['framing'] as Framing<unknown, unknown> | undefined,
    listen: () => endpointsOrThrow(cls, listen, options, 'listen'),
    connect: () => endpointsOrThrow(cls, connect, options, 'connect'),
    hooks: readHooks(members),
    data: readData(members, report),
    routes: readRoutes(cls, members, report),
    workerData: readWorkerData(members, report),
    workerEvents: readWorkerEvents(members, report),
    channels: readChannels(members, report),
    timers: readTimers(members, report),
    arounds: readArounds(cls, members, report),
    guards: readGuards(cls, members, report),
    parameters,
  };
}

/** Reads a class with `@Connection`. Its endpoints are read by `listen()` and `connect()`, which throw ConfigurationError. */
export const readConnection = cached(build);
