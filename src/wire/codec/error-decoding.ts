import { types } from 'node:util';
import { rebuildingOf, transferableNamed } from '../../transferable.js';
import type { ValueDecoder } from './decoder.js';
import { isIndexed, makeDictionary } from './keys.js';
import { BUILT_IN_ERRORS, ERROR_PADDING, ErrorFlag, FIELDS_PADDING } from './tags.js';

/**
 * An error of its class, without running the class's constructor: a genuine Error is made and given the prototype and the fields.
 * A class that is not known here becomes Error; its name is kept. A class that says how it is rebuilt is asked.
 */
export function decodeError(decoder: ValueDecoder): Error {
  const flags = decoder.byte();
  decoder.skip(ERROR_PADDING);
  const className = decoder.string();
  const name = decoder.string();
  const message = flags & ErrorFlag.MESSAGE ? decoder.string() : undefined;
  const registered = (flags & ErrorFlag.REGISTERED) !== 0;
  const place = decoder.begun;
  let error = decoder.created(blank(className, registered, name, message));
  decoder.enter();
  const stack = flags & ErrorFlag.STACK ? decoder.string() : `${name}: ${message ?? ''}`;
  if (flags & ErrorFlag.FIELDS) {
    decoder.skip(FIELDS_PADDING);
    const fields = decoder.value();
    error = (registered ? rebuilt(className, fields) : undefined) ?? error;
    decoder.replace(place, error);
  }
  if (message !== undefined && !hasMessage(error, message)) hide(error, 'message', message);
  if (flags & ErrorFlag.OWN_NAME) show(error, 'name', name);
  else if (nameOf(error) !== name) hide(error, 'name', name);
  // Always its own: the stack of decoding would say nothing.
  hide(error, 'stack', stack);
  if (flags & ErrorFlag.CAUSE) hide(error, 'cause', decoder.value());
  if (flags & ErrorFlag.ERRORS) hide(error, 'errors', decoder.value());
  decoder.properties((key, value) => show(error, key, value));
  decoder.leave();
  return error;
}

/** The error that its class rebuilds from the fields; undefined where the class cannot: the other process may send fields of any kind. */
function rebuilt(className: string, fields: unknown): Error | undefined {
  const cls = transferableNamed(className);
  const rebuilding = cls && rebuildingOf(cls);
  if (!rebuilding) return undefined;
  return withoutStack(() => {
    try {
      const error = rebuilding.rebuild(fields);
      return types.isNativeError(error) && error instanceof cls ? error : undefined;
    } catch {
      return undefined;
    }
  });
}

function blank(className: string, registered: boolean, name: string, message: string | undefined): Error {
  return withoutStack(() => {
    if (className === 'DOMException' && !registered) return new DOMException(message, name);
    const cls = registered
      ? transferableNamed(className)
      : Object.hasOwn(BUILT_IN_ERRORS, className)
        ? BUILT_IN_ERRORS[className]
        : undefined;
    const error = new Error(message);
    // Without its constructor, one that must be rebuilt would have getters that throw.
    if (cls === undefined || cls === Error || (registered && rebuildingOf(cls))) return error;
    return Object.setPrototypeOf(error, cls.prototype as object) as Error;
  });
}

/** Errors made meanwhile have no stack of their own: they are given the one that was sent. */
function withoutStack<T>(make: () => T): T {
  const limit = Error.stackTraceLimit;
  // `Reflect.set`, because Error may be frozen.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return make();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit);
  }
}

function hide(error: Error, key: string, value: unknown): void {
  // Not `Object.defineProperty`, which throws where a constructor has frozen the error.
  Reflect.defineProperty(error, key, { value, configurable: true, enumerable: false, writable: true });
}

function show(error: Error, key: string, value: unknown): void {
  // An index far from others would make an array up to it.
  if (isIndexed(key)) makeDictionary(error);
  Reflect.defineProperty(error, key, { value, configurable: true, enumerable: true, writable: true });
}

/** Its message is there already, and as a property of its own: a getter of its class is not asked. */
function hasMessage(error: Error, message: string): boolean {
  const own = Object.getOwnPropertyDescriptor(error, 'message');
  return own !== undefined && own.value === message;
}

/** Undefined where a getter of the application's class throws. */
function nameOf(error: Error): string | undefined {
  try {
    return error.name;
  } catch {
    return undefined;
  }
}
