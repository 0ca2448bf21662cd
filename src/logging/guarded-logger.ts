import type { Logger } from './logger-class.js';
import { takenKeysOf, uniqueKeys, withKeys, type TakenKeys } from './unique-keys.js';

const LEVELS: ReadonlySet<PropertyKey> = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);

const guards = new WeakMap<Logger, Logger>();

/**
 * The application's own logger, whose failures are no exception of the code that logs: what a level method throws (its disk is full) does not reach the
 * handler that logs, and a promise that it rejects is not a stray one. What is logged under a key that the logger writes itself gets another
 * one, so that no line has a key twice. Everything else of it can be reached as before.
 */
export function guardedLogger(logger: Logger, taken: TakenKeys = takenKeysOf(logger)): Logger {
  const known = guards.get(logger);
  if (known) return known;
  const write = (level: PropertyKey, args: readonly unknown[]): void => {
    try {
      const [object, ...rest] = args;
      const method = Reflect.get(logger, level) as (...given: readonly unknown[]) => unknown;
      const outcome = Reflect.apply(method, logger, args.length === 0 ? args : [uniqueKeys(object, taken, rest[0] !== undefined), ...rest]);
      if (outcome instanceof Promise) outcome.catch(() => {});
    } catch {
      // There is nowhere to tell it.
    }
  };
  const child = (bindings: object): Logger => {
    const own = uniqueKeys(bindings, taken, true) as object;
    return guardedLogger(logger.child(own), withKeys(taken, own));
  };
  // Its target has no properties of its own, so that those of a frozen logger bind nothing.
  const guard = new Proxy(Object.create(logger) as Logger, {
    get: (_target, key) => {
      if (LEVELS.has(key)) return (...args: readonly unknown[]) => write(key, args);
      if (key === 'child') return child;
      const value: unknown = Reflect.get(logger, key);
      return typeof value === 'function' ? (value.bind(logger) as unknown) : value;
    },
    set: (_target, key, value) => Reflect.set(logger, key, value),
  });
  guards.set(logger, guard);
  return guard;
}
