/**
 * Where decorators write and the blueprint reads. Each class carries its own declarations, in the order in which they were written;
 * a subclass never shares or changes those of its base. The key is registered, so that two copies of the package agree.
 */
import { ConfigurationError } from '../errors.js';
import { isObject } from '../option-rules.js';
import type { AroundFunction } from './around-types.js';
import type { UseFunction } from './connection/use-types.js';
import type { ConnectionOptions } from './connection/endpoint-types.js';
import type { Ctor } from './ctor.js';
import type { ModuleOptions } from './injection/provider-types.js';
import type { WorkerOptions } from './worker/worker-types.js';

const DECLARATIONS = Symbol.for('packet-ts.declarations');

/** Where a module was evaluated, and whether that is certain. */
export interface ModuleSource {
  readonly url: string;
  readonly sure: boolean;
}

/** A class decorator with its arguments. */
export type ClassDeclaration =
  | { readonly kind: 'module'; readonly options: ModuleOptions }
  // oxlint-disable-next-line typescript/no-explicit-any -- of whatever framing
  | { readonly kind: 'connection'; readonly options: ConnectionOptions<any, any> }
  | { readonly kind: 'worker'; readonly name: string; readonly options: WorkerOptions; readonly source: ModuleSource | undefined }
  | { readonly kind: 'proxy' };

export type ClassKind = ClassDeclaration['kind'];

/** Method decorators without arguments. */
export type PlainHook =
  | 'OnConnect'
  | 'OnSecure'
  | 'OnDrain'
  | 'OnIdle'
  | 'OnEnd'
  | 'OnExit'
  | 'OnError'
  | 'OnShutdown'
  | 'OnClose'
  | 'OnRequest'
  | 'OnStart'
  | 'OnStop';

/** Arguments of a method decorator: as they were written, unchecked. */
export type MemberDetails =
  | { readonly decorator: PlainHook; readonly given: readonly unknown[] }
  | { readonly decorator: 'OnData'; readonly schema: unknown }
  | { readonly decorator: 'OnWorkerData'; readonly worker: unknown; readonly schema: unknown }
  | { readonly decorator: 'OnWorkerEvent'; readonly worker: unknown; readonly event: unknown }
  | { readonly decorator: 'OnWorkerStart' | 'OnWorkerExit'; readonly worker: unknown }
  | { readonly decorator: 'OnChannel'; readonly token: unknown }
  | { readonly decorator: 'Every' | 'After'; readonly delay: unknown }
  | { readonly decorator: 'Around'; readonly fn: AroundFunction }
  | { readonly decorator: 'Use'; readonly fn: UseFunction }
  | { readonly decorator: 'Task'; readonly options: unknown }
  | {
      readonly decorator: 'Route';
      /** Get, Post …: as it is named in messages. */
      readonly as: string;
      readonly method: unknown;
      readonly path: unknown;
      readonly schemas: unknown;
    };

export type MemberDeclaration = MemberDetails & { readonly key: PropertyKey; readonly isStatic: boolean };
export type MemberDecorator = MemberDetails['decorator'];

/** A parameter decorator of ours with its arguments. */
export type ParameterDeclaration =
  | {
      readonly index: number;
      readonly kind: 'worker';
      readonly worker: Ctor | string;
      readonly key: string | undefined;
      readonly owner: 'app' | undefined;
    }
  | { readonly index: number; readonly kind: 'options' };

/** All that one class's own decorators said. */
export interface Declarations {
  readonly classes: ClassDeclaration[];
  readonly members: MemberDeclaration[];
  readonly parameters: ParameterDeclaration[];
  /** `@Around` on the class itself, in the order in which they were written. */
  readonly arounds: AroundFunction[];
  /** `@Use` on the class itself, in the order in which they were written. */
  readonly uses: UseFunction[];
}

const NONE: Declarations = Object.freeze({ classes: [], members: [], parameters: [], arounds: [], uses: [] });

/** The declarations of the class itself, without those of its bases. */
export function ownDeclarations(cls: Ctor): Readonly<Declarations> {
  return Object.hasOwn(cls, DECLARATIONS) ? (cls as unknown as Record<symbol, Declarations>)[DECLARATIONS]! : NONE;
}

function writable(cls: Ctor): Declarations {
  if (!Object.hasOwn(cls, DECLARATIONS)) {
    const fresh: Declarations = { classes: [], members: [], parameters: [], arounds: [], uses: [] };
    Object.defineProperty(cls, DECLARATIONS, { value: fresh, enumerable: false });
  }
  return (cls as unknown as Record<symbol, Declarations>)[DECLARATIONS]!;
}

/** Compilers that do not know of `experimentalDecorators` call decorators in the other way: say so, instead of failing later. */
function refuseStandard(where: string, context: unknown): void {
  if (typeof context !== 'object' || context === null || !('kind' in context)) return;
  throw new ConfigurationError([
    {
      where,
      wrong: 'its decorators were compiled as standard (TC39) decorators, which cannot decorate parameters',
      remedy: 'set "experimentalDecorators" and "emitDecoratorMetadata" to true in tsconfig.json',
    },
  ]);
}

/** Classes that a connection class extends, decorated or not; copies of the package share them. */
const BASES: WeakSet<object> = ((globalThis as Record<symbol, unknown>)[Symbol.for('packet-ts.connection-bases')] ??=
  new WeakSet()) as WeakSet<object>;

/** Whether some connection class extends it. */
export function isBaseOfConnections(cls: Ctor): boolean {
  return BASES.has(cls);
}

/** Makes a class decorator that records a declaration. */
export function onClass(declare: (cls: Ctor) => ClassDeclaration): (target: Ctor, context?: unknown) => void {
  return (target, context) => {
    refuseStandard(target.name, context);
    const declaration = declare(target);
    // The topmost decorator is called last: back to the order in which they were written.
    writable(target).classes.unshift(declaration);
    if (declaration.kind !== 'connection') return;
    for (let base: unknown = Object.getPrototypeOf(target); typeof base === 'function'; base = Object.getPrototypeOf(base)) BASES.add(base);
  };
}

/** @throws ConfigurationError for a decorator without its parentheses: it is called with the prototype, the method's name and its descriptor. */
function refuseBare(decorator: string, [prototype, key, descriptor]: readonly unknown[]): void {
  if (typeof prototype !== 'object' || typeof key !== 'string' || !isObject(descriptor) || !('value' in descriptor)) return;
  const wrong = `@${decorator} on ${key} has no parentheses`;
  throw new ConfigurationError([{ where: prototype?.constructor.name ?? 'a class', member: key, wrong, remedy: `write @${decorator}()` }]);
}

/** Makes a method decorator that records its arguments. */
export function onMember(details: MemberDetails, given: readonly unknown[] = []): (target: object, key: PropertyKey) => void {
  refuseBare(details.decorator, given);
  return (target, key) => {
    refuseStandard('a class', key);
    const isStatic = typeof target === 'function';
    const { members } = writable((isStatic ? target : target.constructor) as Ctor);
    // Several decorators of one method arrive bottom-up: back to the order in which they were written.
    let at = members.length;
    while (at > 0 && members[at - 1]!.key === key && members[at - 1]!.isStatic === isStatic) at -= 1;
    members.splice(at, 0, { ...details, key, isStatic });
  };
}

/** Notes what a parameter decorator of ours said. */
export function noteParameter(target: Ctor, parameter: ParameterDeclaration): void {
  writable(target).parameters.push(parameter);
}

/** Notes an `@Around` on the class itself. `context`: what a decorator of the standard kind is given. */
export function noteAround(target: Ctor, fn: AroundFunction, context: unknown): void {
  refuseStandard(target.name, context);
  // The topmost decorator is called last: back to the order in which they were written.
  writable(target).arounds.unshift(fn);
}

/** Notes a `@Use` on the class itself. `context`: what a decorator of the standard kind is given. */
export function noteUse(target: Ctor, fn: UseFunction, context: unknown): void {
  refuseStandard(target.name, context);
  // The topmost decorator is called last: back to the order in which they were written.
  writable(target).uses.unshift(fn);
}
