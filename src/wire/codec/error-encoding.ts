import { rebuildingOf, transferableName } from '../../transferable.js';
import type { ValueEncoder } from './encoder.js';
import { LOST, salvage } from './salvage.js';
import { BUILT_IN_ERRORS, ERROR_PADDING, ErrorFlag, FIELDS_PADDING, Tag } from './tags.js';

/** Written by themselves, in front of the other properties. */
const SPECIAL = new Set(['name', 'message', 'stack', 'cause', 'errors']);

/**
 * An error, whole: class, name, message, stack, cause, errors of an AggregateError, own enumerable properties.
 * Properties that cannot be copied are left out: the error is worth more than a socket attached to it.
 */
export function encodeError(encoder: ValueEncoder, error: Error): void {
  const registered = read(() => transferableName(error));
  const cls = registered ?? builtIn(error);
  const name = read(() => error.name);
  const message = read(() => error.message);
  const stack = read(() => error.stack);
  encoder.byte(Tag.ERROR);
  const flagsAt = encoder.pos - encoder.base;
  encoder.byte(0);
  encoder.padding(ERROR_PADDING);
  encoder.string(cls);
  encoder.string(name ?? 'Error');
  let flags = registered === undefined ? 0 : ErrorFlag.REGISTERED;
  if (has(error, 'name')) flags |= ErrorFlag.OWN_NAME;
  if (message !== undefined) {
    flags |= ErrorFlag.MESSAGE;
    encoder.string(message);
  }
  if (stack !== undefined) {
    flags |= ErrorFlag.STACK;
    encoder.string(stack);
  }
  if (registered !== undefined && encodeFields(encoder, error)) flags |= ErrorFlag.FIELDS;
  if (has(error, 'cause') && encoder.optional(() => encoder.value(error.cause))) flags |= ErrorFlag.CAUSE;
  const errors = readAny(() => (error as { errors?: unknown }).errors);
  if (isArray(errors) && has(error, 'errors') && encoder.optional(() => encoder.value(errors))) flags |= ErrorFlag.ERRORS;
  encodeOwn(encoder, error, registered === undefined);
  encoder.buf[encoder.base + flagsAt] = flags;
}

function encodeOwn(encoder: ValueEncoder, error: Error, anonymous: boolean): void {
  for (const key of readAny(() => Object.keys(error)) ?? []) {
    if (SPECIAL.has(key) && key !== 'errors') continue;
    if (key === 'errors' && isArray(readAny(() => (error as { errors?: unknown }).errors))) continue;
    encodeProperty(encoder, error, key);
  }
  // A code that sits on the class is lost with the class.
  if (anonymous && readAny(() => Object.prototype.propertyIsEnumerable.call(error, 'code')) === false) {
    const code = read(() => (error as { code?: unknown }).code as string | undefined);
    if (code !== undefined) encodeProperty(encoder, { code }, 'code');
  }
  encoder.byte(Tag.END);
}

function encodeProperty(encoder: ValueEncoder, holder: object, key: string): void {
  const whole = encoder.optional(() => {
    encoder.name(key);
    encoder.value((holder as Record<string, unknown>)[key]);
  });
  if (whole) return;
  const part = salvage(readAny(() => (holder as Record<string, unknown>)[key]));
  if (part === LOST || part === undefined) return;
  encoder.optional(() => {
    encoder.name(key);
    encoder.value(part);
  });
}

/** Encodes the fields that the error's class rebuilds it from; false where there are none, or none that can be sent. */
function encodeFields(encoder: ValueEncoder, error: Error): boolean {
  const rebuilding = readAny(() => rebuildingOf(error.constructor as new () => Error));
  if (!rebuilding) return false;
  const write = (read: () => unknown): boolean =>
    encoder.optional(() => {
      encoder.padding(FIELDS_PADDING);
      encoder.value(read());
    });
  if (write(() => rebuilding.fields(error))) return true;
  const part = salvage(readAny(() => rebuilding.fields(error)));
  return part !== LOST && part !== undefined && write(() => part);
}

/** The language's class that it is an instance of itself; 'Error' for any other. Also for errors of another context, by name. */
function builtIn(error: Error): string {
  if (readAny(() => error instanceof DOMException) === true) return 'DOMException';
  const name = read(() => error.constructor.name);
  return name !== undefined && Object.hasOwn(BUILT_IN_ERRORS, name) ? name : 'Error';
}

/** A string property; anything else, and one that cannot be read, counts as missing. */
function read(get: () => string | undefined): string | undefined {
  const value: unknown = readAny(get);
  return typeof value === 'string' ? value : undefined;
}

/** Undefined where looking at the error throws: a proxy or a getter of the application's may do that. */
function readAny<T>(get: () => T): T | undefined {
  try {
    return get();
  } catch {
    return undefined;
  }
}

function has(error: Error, key: string): boolean {
  return readAny(() => Object.hasOwn(error, key)) === true;
}

function isArray(value: unknown): boolean {
  return readAny(() => Array.isArray(value)) === true;
}
