import { ConnectError, ListenError } from '../errors.js';

/** In words, what the system says when it cannot listen or connect. */
const TEXTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'there is no such file or directory',
  ENOTDIR: 'a part of the path is no directory',
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name cannot be looked up now',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the peer closed it',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ENOTSOCK: 'there is a file that is no socket',
  EMFILE: 'this process has no descriptors left',
  ENFILE: 'this machine has no descriptors left',
};

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** The reason in OpenSSL's words; its messages are full of addresses. */
function opensslReason(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'reason' in error && typeof error.reason === 'string' ? error.reason : undefined;
}

/** An error of the system in words. */
export function systemErrorText(error: unknown): string {
  const code = codeOf(error);
  const text = TEXTS[code] ?? opensslReason(error);
  if (text !== undefined) return `${text} (${code})`;
  return error instanceof Error ? error.message : String(error);
}

/** A listen error of the system as ours. */
export function listenError(url: string, error: unknown): ListenError {
  return new ListenError(url, systemErrorText(error), { cause: error });
}

function reasonOf(code: string): ConnectError['reason'] {
  if (code === 'ETIMEDOUT') return 'timeout';
  return code === 'ENOTFOUND' || code.startsWith('EAI_') ? 'unresolvable' : 'refused';
}

/** A connect error of the system as ours; of several addresses, the first that failed speaks. */
export function connectError(url: string, error: unknown): ConnectError {
  const first: unknown = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  return new ConnectError(url, reasonOf(codeOf(first)), systemErrorText(first), { cause: error });
}

/** Error of a dial that was aborted. */
export function aborted(url: string, signal: AbortSignal): ConnectError {
  return new ConnectError(url, 'aborted', 'it was given up', { cause: signal.reason });
}
