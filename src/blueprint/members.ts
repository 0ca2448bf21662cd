import { show } from '../option-rules.js';
import { ownDeclarations, type ClassKind, type MemberDeclaration, type MemberDecorator } from '../decorators/metadata.js';
import { MAX_DELAY, toMilliseconds } from '../units.js';
import { isSchema, toValidator } from '../schema.js';
import { hasMethod, kindOf, membersOf } from './lineage.js';
import { nameOf, type Report } from './mistakes.js';
import type { Ctor, DataRoute, TimerBlueprint } from './types.js';

/** The kind of a class; 'provider' is everything without a class decorator of ours. */
export type Role = ClassKind | 'provider';

const CONNECTION: readonly Role[] = ['connection'];
const PROVIDERS: readonly Role[] = ['provider', 'proxy'];

/** The kinds of classes that may carry each decorator. */
const BEARERS: Readonly<Record<MemberDecorator, readonly Role[]>> = {
  OnConnect: CONNECTION,
  OnSecure: CONNECTION,
  OnDrain: CONNECTION,
  OnIdle: CONNECTION,
  OnEnd: CONNECTION,
  OnExit: CONNECTION,
  OnError: CONNECTION,
  OnShutdown: CONNECTION,
  OnClose: CONNECTION,
  OnRequest: CONNECTION,
  OnWorkerData: CONNECTION,
  OnWorkerEvent: CONNECTION,
  OnData: ['connection', 'worker', 'proxy'],
  OnChannel: ['connection', ...PROVIDERS],
  OnStart: ['worker', ...PROVIDERS],
  OnStop: ['worker', ...PROVIDERS],
  OnWorkerStart: PROVIDERS,
  OnWorkerExit: PROVIDERS,
  Every: ['connection', 'worker', ...PROVIDERS],
  After: ['connection', 'worker', ...PROVIDERS],
  Task: ['worker'],
  Route: CONNECTION,
  Around: ['connection', 'worker'],
  Use: CONNECTION,
};

const ARTICLE: Readonly<Record<Role, string>> = {
  connection: 'a @Connection',
  worker: 'a @Worker',
  proxy: 'a @Proxy',
  module: 'a @Module',
  provider: 'a provider',
};

/** The decorator that was probably meant, where that is known. */
function remedyFor(decorator: MemberDecorator, role: Role): string {
  if (decorator === 'Task' && role === 'connection') return 'a connection answers messages: write @OnData, or move the method to a @Worker';
  if (role === 'worker' && (decorator === 'OnConnect' || decorator === 'OnClose'))
    return 'a worker has no connection: write @OnStart or @OnStop, or list a @Connection in its `connections`';
  if (role === 'connection' && decorator === 'OnStart') return 'write @OnConnect';
  if (role === 'connection' && decorator === 'OnStop') return 'write @OnClose or @OnShutdown';
  const bearers = BEARERS[decorator].map(bearer => ARTICLE[bearer]);
  return `it belongs on ${bearers.join(' or ')}`;
}

function isFit(cls: Ctor, role: Role, member: MemberDeclaration, report: Report): boolean {
  const { key, decorator } = member;
  const name = member.decorator === 'Route' ? member.as : decorator;
  if (member.isStatic) {
    report(key, `@${name} is on a static method`, 'remove `static`: hooks run on instances');
    return false;
  }
  if (!BEARERS[decorator].includes(role)) {
    report(key, `@${name} cannot stand on ${ARTICLE[role]}`, remedyFor(decorator, role));
    return false;
  }
  if (!hasMethod(cls, key)) {
    report(key, `@${name} is not on a method`, 'write a method, not a property or accessor');
    return false;
  }
  return true;
}

/** The decorated methods of a class that may stand on it, in the order in which they run. */
export function readMembers(cls: Ctor, role: Role, report: Report): readonly MemberDeclaration[] {
  const own = ownDeclarations(cls).classes;
  if (own.length > 1) {
    const written = own.map(declaration => `@${declaration.kind[0]!.toUpperCase()}${declaration.kind.slice(1)}`);
    report(undefined, `it has ${written.join(' and ')}`, 'one class plays one part: split it');
  }
  const members = membersOf(cls).filter(member => isFit(cls, role, member, report));
  for (const member of members) {
    const given = 'given' in member ? member.given.find(value => value !== undefined) : undefined;
    if (given !== undefined)
      report(member.key, `@${member.decorator} is given ${show(given)}`, `it takes nothing: write @${member.decorator}()`);
  }
  return members;
}

/** The keys of the members with that decorator. */
export function keysOf(members: readonly MemberDeclaration[], decorator: MemberDecorator): readonly PropertyKey[] {
  return members.filter(member => member.decorator === decorator).map(member => member.key);
}

/** A schema's validator; undefined where no schema was given. */
export function validatorOf(schema: unknown, member: PropertyKey | undefined, what: string, report: Report): DataRoute['validate'] {
  if (schema === undefined) return undefined;
  if (isSchema(schema)) return toValidator(schema);
  report(member, `${what} is not a schema`, 'give a zod schema, or any other that follows Standard Schema');
  return undefined;
}

/** `@OnData`, in routing order. */
export function readData(members: readonly MemberDeclaration[], report: Report): readonly DataRoute[] {
  return members.flatMap(member =>
    member.decorator === 'OnData'
      ? [{ key: member.key, validate: validatorOf(member.schema, member.key, 'what @OnData was given', report) }]
      : [],
  );
}

function readTimer(member: MemberDeclaration & { delay: unknown }, kind: 'every' | 'after', report: Report): readonly TimerBlueprint[] {
  try {
    const delay = toMilliseconds(member.delay as number);
    if ((delay > 0 || kind === 'after') && delay <= MAX_DELAY && member.delay !== false) return [{ kind, delay, key: member.key }];
  } catch {
    // told below, with what is no time for other reasons
  }
  report(
    member.key,
    `@${member.decorator}(${show(member.delay)}) names no time that a timer can wait`,
    "write milliseconds or '30s', '5m', '2h', at most 24 days",
  );
  return [];
}

/** `@Every` and `@After`. */
export function readTimers(members: readonly MemberDeclaration[], report: Report): readonly TimerBlueprint[] {
  return members.flatMap(member => {
    if (member.decorator === 'Every') return readTimer(member, 'every', report);
    return member.decorator === 'After' ? readTimer(member, 'after', report) : [];
  });
}

/** The worker class that a hook names, or undefined and a mistake. */
export function namedWorker(worker: unknown, member: MemberDeclaration, report: Report): Ctor | undefined {
  if (kindOf(worker) === 'worker') return worker as Ctor;
  const what = worker === undefined ? 'undefined' : `${nameOf(worker)}, which is not a worker`;
  const circular = 'the modules import each other in a circle: break it, or let the worker say `proxy: () => …`';
  report(member.key, `@${member.decorator} names ${what}`, worker === undefined ? circular : 'name a class with @Worker');
  return undefined;
}
