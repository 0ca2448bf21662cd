import type { CloseReason } from '../decorators/hook-types.js';
import { AbortError, ConnectionClosedError, LimitError, PacketError, TlsError } from '../errors.js';

/** One close reason. */
interface Row {
  /** The level at which the log tells of it. */
  readonly level: 'debug' | 'info';
  /** When it is given, as docs/lifecycle.md says it. */
  readonly when: string;
}

/** The code of rows that stand for whatever code the error has. */
const ANY = '*';

/**
 * Every close reason, as `by code`: which side or which fault closed the connection, and a stable word for it. Code that closes a
 * connection takes the reason from here; the table in docs/lifecycle.md is the same, and a spec holds the two together.
 */
export const CLOSE_REASONS = {
  'peer END': { level: 'debug', when: 'it finished; or all was sent to it and it did not finish within `halfCloseGrace`' },
  'peer ECONNRESET': { level: 'debug', when: 'it reset the connection, or left before the answer of its request was sent' },
  'peer EPIPE': { level: 'debug', when: 'it reads no more' },
  'peer ECONNABORTED': { level: 'debug', when: 'its system, or ours, gave the connection up' },
  'local END': { level: 'debug', when: '`peer.end()`; the answer of a request was sent; a udp socket was closed' },
  'local DESTROY': { level: 'debug', when: '`peer.destroy()`' },
  'local RESET': { level: 'debug', when: '`peer.reset()`' },
  'local ABORTED': { level: 'debug', when: 'the `signal` of a dial was aborted' },
  'local ADMIN': { level: 'debug', when: 'a user of the admin page closed it' },
  'error *': {
    level: 'debug',
    when: "a handler without `@OnError` threw, `@OnError` threw, the framing or the socket failed: the error's code, else its name",
  },
  'limit maxBufferedBytes': { level: 'info', when: 'the limit was passed' },
  'limit maxBufferedBytesTotal': { level: 'info', when: 'the limit was passed, and of all connections it had most waiting' },
  'limit maxMessageSize': { level: 'info', when: 'the body of a request was larger; of other connections it is `error`' },
  'limit drainTimeout': { level: 'info', when: 'nothing was taken of what waited to be sent' },
  'limit rateLimit': { level: 'info', when: "the limit was passed, with `beyond: 'close'`" },
  'limit *': { level: 'info', when: 'the handler of a request threw a `LimitError`: its `limit`' },
  'timeout firstMessageTimeout': { level: 'info', when: 'nothing was sent or received after the connection was made' },
  'timeout messageTimeout': { level: 'info', when: 'a message, or the body of a request, was not whole in time' },
  'timeout idleTimeout': { level: 'info', when: 'the peer was silent, and there is no `@OnIdle`' },
  'timeout halfCloseGrace': { level: 'info', when: 'the peer had finished, and no byte of the answers moved' },
  'timeout handshakeTimeout': { level: 'info', when: 'the handshake of `peer.startTls()` was not done in time' },
  'shutdown SHUTDOWN': { level: 'debug', when: 'the application closed' },
  'shutdown RELOAD': { level: 'debug', when: 'the application is reloaded: another process has taken over' },
  'handoff HANDOFF': { level: 'debug', when: 'the connection lives on in another process' },
} as const satisfies Readonly<Record<`${CloseReason['by']} ${string}`, Row>>;

type ReasonName = keyof typeof CLOSE_REASONS;

type CodeOfLimit<Name> = Name extends `${'limit' | 'timeout'} ${infer Code}` ? Code : never;

/** The code of a limit or a time limit that connections are closed for. */
export type LimitCode = Exclude<CodeOfLimit<ReasonName>, '*'>;

const ROWS: ReadonlyMap<string, Row> = new Map(Object.entries(CLOSE_REASONS));

function codesOf(by: CloseReason['by']): ReadonlySet<string> {
  return new Set([...ROWS.keys()].filter(name => name.startsWith(`${by} `)).map(name => name.slice(by.length + 1)));
}

/** Error codes of a peer that has closed its end, among them: nothing went wrong here. */
const PEER_CODES = codesOf('peer');
const TIMEOUT_CODES = codesOf('timeout');

/** The reason of this row, with the error that led to it. */
export function closeReason(name: Exclude<ReasonName, `${string} *`>, error?: Error): CloseReason {
  const space = name.indexOf(' ');
  const by = name.slice(0, space) as CloseReason['by'];
  const code = name.slice(space + 1);
  return error ? { by, code, error } : { by, code };
}

function reasonOfCode(code: string, error?: Error): CloseReason {
  const by = TIMEOUT_CODES.has(code) ? 'timeout' : 'limit';
  return error ? { by, code, error } : { by, code };
}

/** The reason when a limit or a time limit was passed. */
export const reasonOfLimit: (code: LimitCode, error?: Error) => CloseReason = reasonOfCode;

/** The level at which the log tells of a close; `debug` for reasons that are in no row. */
export function levelOfClose(by: string, code: string): Row['level'] {
  return (ROWS.get(`${by} ${code}`) ?? ROWS.get(`${by} ${ANY}`))?.level ?? 'debug';
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** The reason when the transport closed by itself. */
export function reasonOfTransport(error: Error | undefined): CloseReason {
  if (!error) return closeReason('peer END');
  const code = codeOf(error);
  const left = PEER_CODES.has(code) || (error instanceof TlsError && error.cause instanceof Error && PEER_CODES.has(codeOf(error.cause)));
  return { by: left ? 'peer' : 'error', code, error };
}

/** The reason when an error ends the connection. */
export function reasonOfError(error: Error): CloseReason {
  return { by: 'error', code: codeOf(error), error };
}

/** The reason when the handling of a request failed: that of a limit, where one was passed. */
export function reasonOfFailure(error: Error): CloseReason {
  return error instanceof LimitError ? reasonOfCode(error.limit, error) : reasonOfError(error);
}

/** The reason that `peer.signal` and the calls of a connection are aborted with. */
export function abortReason({ by, code }: CloseReason): Error {
  return new ConnectionClosedError(by === 'peer' ? `the peer is gone (${code})` : `the connection is closed (by ${by}: ${code})`);
}

/** True for an error that tells of nothing but the end of the connection that met it. */
export function isCausedByClosing(error: Error, reason: Error): boolean {
  if (error === reason || error.cause === reason || error instanceof ConnectionClosedError) return true;
  return error instanceof AbortError || (error.name === 'AbortError' && !(error instanceof PacketError));
}
