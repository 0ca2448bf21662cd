import { transferableNamed } from '../transferable.js';
import type { Decoder } from './decoder.js';
import { isIndexed, makeDictionary } from './keys.js';
import { BUILT_IN_ERRORS, ERROR_PADDING, ErrorFlag } from './tags.js';

/**
 * An error of its class, without running the class's constructor: a genuine Error is made and given the prototype and the fields.
 * A class that is not known here becomes Error; its name is kept.
 */
export function decodeError(decoder: Decoder): Error {
  const flags = decoder.byte();
  decoder.skip(ERROR_PADDING);
  const className = decoder.string();
  const name = decoder.string();
  const message = flags & ErrorFlag.MESSAGE ? decoder.string() : undefined;
  const error = decoder.created(blank(className, (flags & ErrorFlag.REGISTERED) !== 0, name, message));
  decoder.enter();
  if (message !== undefined && error.message !== message) hide(error, 'message', message);
  if (flags & ErrorFlag.OWN_NAME) show(error, 'name', name);
  else if (error.name !== name) hide(error, 'name', name);
  // Always its own: the stack of decoding would say nothing.
  hide(error, 'stack', flags & ErrorFlag.STACK ? decoder.string() : `${name}: ${message ?? ''}`);
  if (flags & ErrorFlag.CAUSE) hide(error, 'cause', decoder.value());
  if (flags & ErrorFlag.ERRORS) hide(error, 'errors', decoder.value());
  decoder.properties((key, value) => show(error, key, value));
  decoder.leave();
  return error;
}

function blank(className: string, registered: boolean, name: string, message: string | undefined): Error {
  const limit = Error.stackTraceLimit;
  // It is given the stack that it was sent with. `Reflect.set`, because Error may be frozen.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    if (className === 'DOMException' && !registered) return new DOMException(message, name);
    const cls = registered
      ? transferableNamed(className)
      : Object.hasOwn(BUILT_IN_ERRORS, className)
        ? BUILT_IN_ERRORS[className]
        : undefined;
    const error = new Error(message);
    return cls === undefined || cls === Error ? error : (Object.setPrototypeOf(error, cls.prototype as object) as Error);
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit);
  }
}

function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, enumerable: false, writable: true });
}

function show(error: Error, key: string, value: unknown): void {
  // An index far from others would make an array up to it.
  if (isIndexed(key)) makeDictionary(error);
  Object.defineProperty(error, key, { value, configurable: true, enumerable: true, writable: true });
}
