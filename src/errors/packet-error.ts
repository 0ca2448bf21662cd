import { statusCodeOf, textFor } from './status-code.js';

const BRAND = 'packet-ts/';

/** Marks a class so that `instanceof` holds across two copies of the package. */
export function brand(cls: abstract new (...args: never[]) => Error, name: string): void {
  const key = Symbol.for(BRAND + name);
  Object.defineProperty(cls.prototype, key, { value: true });
  Object.defineProperty(cls.prototype, 'name', { value: name, configurable: true, writable: true });
  Object.defineProperty(cls, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      try {
        if (this !== cls) return Function.prototype[Symbol.hasInstance].call(this as never, value);
        return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[key] === true;
      } catch {
        // A proxy that does not let itself be looked at is none of ours.
        return false;
      }
    },
  });
}

/** One line, whatever went into it: our messages are sent over line protocols. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' ');
}

/** Codes of the errors that this package makes. */
export type PacketErrorCode = `ERR_PACKET_${string}`;

/**
 * The base of every error that the framework makes.
 * @example try { await client.evaluate('1') } catch (error) { if (error instanceof PacketError) console.error(error.code) }
 */
export class PacketError extends Error {
  /** A stable identifier, `ERR_PACKET_…`; docs/errors.md lists them. */
  readonly code: PacketErrorCode;

  constructor(message: string, code: PacketErrorCode, options?: { cause?: unknown }) {
    super(oneLine(message), options);
    this.code = code;
  }

  /**
   * The status of HTTP that says the same, 400 to 504: frameworks answer with it, those that are mounted, too. Below 500 the message is
   * for the client; from 500 on it is for the log.
   * @example const answer = error instanceof PacketError && error.statusCode < 500 ? error.message : 'internal error';
   */
  get statusCode(): number {
    return statusCodeOf(this);
  }

  /** The answer to a request that failed with it. Hono asks errors for this, mounted or not. */
  getResponse(): Response {
    const { statusCode: status, message } = this;
    return new Response(textFor(status, message), { status });
  }
}

/** Characters of a foreign text that a message of ours repeats. */
const MOST_TOLD = 1000;

/** An Error that can be looked at: one with getters that throw, or behind a proxy that refuses, would throw again wherever it is told. */
export function isReadableError(thrown: unknown): thrown is Error {
  try {
    if (!(thrown instanceof Error)) return false;
    const { name, message } = thrown;
    void [thrown.cause, (thrown as { code?: unknown }).code];
    return typeof name === 'string' && typeof message === 'string';
  } catch {
    return false;
  }
}

/** The thrown value as an Error: anything else becomes the `cause` of one. */
export function asError(thrown: unknown): Error {
  if (isReadableError(thrown)) return thrown;
  return new Error(
    `a value that is no Error was thrown: ${typeof thrown === 'string' ? oneLine(thrown.slice(0, MOST_TOLD)) : typeof thrown}`,
    {
      cause: thrown,
    },
  );
}

/** The message of a thrown value, on one line; '' for one that has none or cannot be read. */
export function messageOf(thrown: unknown): string {
  return isReadableError(thrown) ? oneLine(thrown.message.slice(0, MOST_TOLD)) : '';
}
