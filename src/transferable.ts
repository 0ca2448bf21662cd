import { errorClasses } from './errors.js';

type ErrorClass = abstract new (...args: never[]) => Error;

/** Error classes that keep their class across the process boundary, by the name given to `@Transferable`. Shared by copies of the package. */
const REGISTRY: Map<string, ErrorClass> = ((globalThis as Record<symbol, unknown>)[Symbol.for('packet-ts.transferables')] ??=
  new Map()) as Map<string, ErrorClass>;
const NAMES: WeakMap<ErrorClass, string> = ((globalThis as Record<symbol, unknown>)[Symbol.for('packet-ts.transferable-names')] ??=
  new WeakMap()) as WeakMap<ErrorClass, string>;

/** Registers an error class under a name that both processes know. */
export function registerTransferable(name: string, cls: ErrorClass): void {
  REGISTRY.set(name, cls);
  NAMES.set(cls, name);
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
