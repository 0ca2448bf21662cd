import { PacketError } from './packet-error.js';
import { printable, printableLines } from './printable.js';

/** Limits, in characters, of the parts of an error that a log is told. */
const MOST = { name: 100, code: 100, message: 1000, stack: 4000, field: 200 } as const;
/** Errors of one, itself and its causes and parts included. */
const MOST_ERRORS = 8;
/** Own fields of an error of the framework. */
const MOST_FIELDS = 16;

/**
 * A copy of an error that is cheap to write down, even of foreign errors: its class, name, message, stack and code, each cut, and the same
 * of its `cause` and its first `errors`; of the framework's own errors also their texts, numbers and flags.
 *
 * A worker's or a peer's error may have any properties: megabytes of text, a BigInt that takes seconds to print, errors that share errors.
 * Never throws, whatever looking at the error does.
 */
export function errorForLog(error: unknown): Error {
  return new Copier().copy(error);
}

class Copier {
  #left = MOST_ERRORS;

  copy(error: unknown): Error {
    this.#left--;
    const name = textOf(error, 'name') ?? 'Error';
    const message = printable(textOf(error, 'message') ?? '', MOST.message);
    const copy = blank(error, message);
    hide(copy, 'name', printable(name, MOST.name));
    const stack = textOf(error, 'stack');
    hide(copy, 'stack', stack === undefined ? `${name}: ${message}` : printableLines(stack, MOST.stack));
    const code = read(error, 'code');
    if (typeof code === 'string') show(copy, 'code', printable(code, MOST.code));
    else if (typeof code === 'number') show(copy, 'code', code);
    if (isOurs(copy)) this.#fields(error, copy);
    const cause = read(error, 'cause');
    if (isError(cause) && this.#left > 0) hide(copy, 'cause', this.copy(cause));
    const errors = read(error, 'errors');
    if (Array.isArray(errors)) this.#parts(errors, copy);
    return copy;
  }

  #parts(errors: readonly unknown[], copy: Error): void {
    const parts: Error[] = [];
    for (let i = 0; i < MOST_ERRORS && this.#left > 0; i++) {
      const part = read(errors, String(i));
      if (isError(part)) parts.push(this.copy(part));
    }
    if (parts.length > 0) hide(copy, 'errors', parts);
  }

  #fields(error: unknown, copy: Error): void {
    for (const key of keysOf(error).slice(0, MOST_FIELDS)) {
      const value = read(error, key);
      if (Object.hasOwn(copy, key) || key.length > MOST.name) continue;
      if (typeof value === 'string') show(copy, key, printableLines(value, key === 'stderr' ? MOST.stack : MOST.field));
      else if (typeof value === 'number' || typeof value === 'boolean') show(copy, key, value);
    }
  }
}

/** An error of the same class, without running its constructor and without a stack of its own. */
function blank(error: unknown, message: string): Error {
  const limit = Error.stackTraceLimit;
  // `Reflect.set`, because Error may be frozen.
  Reflect.set(Error, 'stackTraceLimit', 0);
  const copy = new Error(message);
  Reflect.set(Error, 'stackTraceLimit', limit);
  try {
    if (error instanceof Error) Object.setPrototypeOf(copy, Object.getPrototypeOf(error) as object);
  } catch {
    // A proxy that refuses: it is told as a plain Error.
  }
  return copy;
}

function isOurs(error: Error): boolean {
  return error instanceof PacketError;
}

function isError(value: unknown): boolean {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

function keysOf(value: unknown): string[] {
  try {
    return Object.keys(value as object);
  } catch {
    return [];
  }
}

function read(value: unknown, key: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[key];
  } catch {
    return undefined;
  }
}

function textOf(value: unknown, key: string): string | undefined {
  const text = read(value, key);
  return typeof text === 'string' ? text : undefined;
}

function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, enumerable: false, writable: true });
}

function show(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, enumerable: true, writable: true });
}
