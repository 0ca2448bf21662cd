import { checkReachable } from '../connection/reachable.js';
import type { MemberDeclaration } from '../../decorators/metadata.js';
import type { Mistake } from '../../errors.js';
import { readChannels } from '../channels.js';
import { kindOf, lineage, methodNames } from '../lineage.js';
import { keysOf, namedWorker, readData, readMembers, readTimers } from '../members.js';
import { cached, nameOf, reporter, type Report } from '../mistakes.js';
import { parameterMistakes, readParameters } from './parameters.js';
import { WORKER_PROXY } from '../worker/worker-proxy.js';
import type { Ctor, ProviderBlueprint, ProxyBlueprint } from '../types.js';

function watched(
  members: readonly MemberDeclaration[],
  decorator: 'OnWorkerStart' | 'OnWorkerExit',
  report: Report,
): ProviderBlueprint['workerStart'] {
  return members.flatMap(member => {
    if (member.decorator !== decorator) return [];
    const worker = namedWorker(member.worker, member, report);
    return worker ? [{ worker, key: member.key }] : [];
  });
}

function common(cls: Ctor, members: readonly MemberDeclaration[], mistakes: Mistake[]): ProviderBlueprint {
  const report = reporter(nameOf(cls), mistakes);
  const parameters = readParameters(cls);
  mistakes.push(...parameterMistakes(cls, parameters));
  return {
    cls,
    name: nameOf(cls),
    start: keysOf(members, 'OnStart'),
    stop: keysOf(members, 'OnStop'),
    timers: readTimers(members, report),
    workerStart: watched(members, 'OnWorkerStart', report),
    workerExit: watched(members, 'OnWorkerExit', report),
    channels: readChannels(members, report),
    parameters,
    eager: members.length > 0,
  };
}

/** Reads a class that the container builds. */
export const readProvider = cached((cls, mistakes): ProviderBlueprint =>
  common(cls, readMembers(cls, 'provider', reporter(nameOf(cls), mistakes)), mistakes),
);

/** Reads a class with `@Proxy`. */
export const readProxy = cached((cls, mistakes): ProxyBlueprint => {
  const report = reporter(nameOf(cls), mistakes);
  if (kindOf(cls) !== 'proxy') report(undefined, 'it has no @Proxy', 'decorate it with @Proxy()');
  if (!(WORKER_PROXY in cls)) report(undefined, 'it is not a WorkerProxy', 'let it extend WorkerProxy<TheWorker>');
  const members = readMembers(cls, 'proxy', report);
  const hooks = new Set(members.map(member => member.key));
  checkReachable(cls, report);
  // WorkerProxy itself, the root of every lineage, is no part of what the user wrote.
  const methods = methodNames(lineage(cls).slice(0, -1)).filter(name => !hooks.has(name));
  return { ...common(cls, members, mistakes), mailbox: readData(members, report), methods };
});
