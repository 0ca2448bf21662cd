import { errorClasses } from './errors.js';

type ErrorClass = abstract new (...args: never[]) => Error;

/** Error classes that keep their class across the process boundary, by the name given to `@Transferable`. Shared by copies of the package. */
const REGISTRY: Map<string, ErrorClass> = ((globalThis as Record<symbol, unknown>)[Symbol.for('packet-ts.transferables')] ??=
  new Map()) as Map<string, ErrorClass>;
const NAMES: WeakMap<ErrorClass, string> = ((globalThis as Record<symbol, unknown>)[Symbol.for('packet-ts.transferable-names')] ??=
  new WeakMap()) as WeakMap<ErrorClass, string>;

/** Takes an error apart and puts it together again, on the two sides of a boundary. */
export interface Rebuilding<E, F> {
  /** Data sent beside the message, the stack and the own properties. */
  fields(error: E): F;
  /** Makes an error of the class from it. The other process wrote the value: where that process is not trusted, check it. */
  rebuild(fields: F): E;
}

type AnyRebuilding = Rebuilding<unknown, unknown>;
const REBUILDINGS: WeakMap<ErrorClass, AnyRebuilding> = ((globalThis as Record<symbol, unknown>)[
  Symbol.for('packet-ts.transferable-rebuildings')
] ??= new WeakMap()) as WeakMap<ErrorClass, AnyRebuilding>;

/** Registers an error class under a name that both processes know. */
export function registerTransferable<E extends Error = Error, F = unknown>(
  name: string,
  cls: abstract new (...args: never[]) => E,
  rebuilding?: Rebuilding<E, F>,
): void {
  REGISTRY.set(name, cls);
  NAMES.set(cls, name);
  if (rebuilding) REBUILDINGS.set(cls, rebuilding);
  else REBUILDINGS.delete(cls);
}

/** How errors of a class are taken apart and rebuilt; undefined: they are given their fields, and no constructor runs. */
export function rebuildingOf(cls: ErrorClass): AnyRebuilding | undefined {
  return REBUILDINGS.get(cls);
}

/** The class registered (or built into the framework) under that name. */
export function transferableNamed(name: string): ErrorClass | undefined {
  return REGISTRY.get(name) ?? (Object.hasOwn(errorClasses, name) ? errorClasses[name] : undefined);
}

/** The name under which an error's own class is registered; subclasses of a registered class are not. */
export function transferableName(error: Error): string | undefined {
  const cls = error.constructor as ErrorClass;
  return NAMES.get(cls) ?? (Object.hasOwn(errorClasses, cls.name) && errorClasses[cls.name] === cls ? cls.name : undefined);
}
