import type { Logger } from '../logger.js';

const LEVELS: ReadonlySet<PropertyKey> = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);

const guards = new WeakMap<Logger, Logger>();

/**
 * Wraps the application's own logger so that its failures go no further: an error thrown by a level method (its disk is full) does not
 * reach the handler that logs, and a promise that it rejects is not a stray one. Everything else of it can be reached as before.
 */
export function guardedLogger(logger: Logger): Logger {
  const known = guards.get(logger);
  if (known) return known;
  const write = (level: PropertyKey, args: readonly unknown[]): void => {
    try {
      const method = Reflect.get(logger, level) as (...given: readonly unknown[]) => unknown;
      const outcome = Reflect.apply(method, logger, args);
      if (outcome instanceof Promise) outcome.catch(() => {});
    } catch {
      // There is nowhere to tell it.
    }
  };
  // Its target has no properties of its own, so that those of a frozen logger bind nothing.
  const guard = new Proxy(Object.create(logger) as Logger, {
    get: (_target, key) => {
      if (LEVELS.has(key)) return (...args: readonly unknown[]) => write(key, args);
      if (key === 'child') return (bindings: object) => guardedLogger(logger.child(bindings));
      const value: unknown = Reflect.get(logger, key);
      return typeof value === 'function' ? (value.bind(logger) as unknown) : value;
    },
    set: (_target, key, value) => Reflect.set(logger, key, value),
  });
  guards.set(logger, guard);
  return guard;
}
