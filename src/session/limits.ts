import type { Limits as WrittenLimits } from '../decorators/connection/endpoint-types.js';
import type { Framing } from '../framing/framing.js';
import { limitOf, toBytes, toMilliseconds, type Duration, type Off, type Size } from '../units.js';
import { descriptors } from '../endpoints/descriptors.js';

/**
 * The limits of one endpoint, as numbers to compare with: milliseconds, bytes, counts; Infinity where a limit is off.
 * Shared by all sessions of the endpoint and read when they need it, so a change takes effect at once.
 */
export interface ConnectionLimits {
  maxConnections: number;
  whenFull: 'reject' | 'pause';
  maxPerPeer: number;
  maxMessageSize: number;
  firstMessageTimeout: number;
  messageTimeout: number;
  idleTimeout: number;
  connectTimeout: number;
  handshakeTimeout: number;
  highWaterMark: number;
  lowWaterMark: number;
  maxBufferedBytes: number;
  drainTimeout: number;
  halfCloseGrace: number;
  rateLimit: RateLimit | undefined;
}

export interface RateLimit {
  readonly messages: number;
  /** Milliseconds. */
  readonly per: number;
  readonly burst: number;
  readonly beyond: 'pause' | 'close';
}

/** Schemes whose clients must say something soon: those that strangers can reach. */
const STRANGERS = new Set(['tcp', 'tls', 'ws', 'wss', 'http', 'https']);
const FIRST_MESSAGE = 30_000;

/** How long a client may be silent at first where nothing is said of it, by where it came in. */
export function firstMessageDefault(scheme: string): number {
  return STRANGERS.has(scheme) ? FIRST_MESSAGE : Infinity;
}

/** Descriptors that are not for connections: files, workers, the process's own. Where there are few, half of them. */
const OTHER_DESCRIPTORS = 64;
const MOST_CONNECTIONS = 10_000;

/** How many connections one listener takes by default: fewer where the process may open fewer descriptors. */
export function defaultMaxConnections(limit: number = descriptors.limit): number {
  return Math.max(1, Math.min(MOST_CONNECTIONS, limit - Math.min(OTHER_DESCRIPTORS, Math.ceil(limit / 2))));
}

/** One address's share of `maxConnections`, by default. */
const PEERS_SHARE = 0.1;

/** How many connections one address (IPv6: one /64) may have by default. */
export function defaultMaxPerPeer(maxConnections: number): number {
  return Math.max(1, Math.ceil(maxConnections * PEERS_SHARE));
}

/** Calls back when one of these limits is changed. Reading them costs what it did. */
export function onLimitChange(limits: ConnectionLimits, names: readonly (keyof ConnectionLimits)[], changed: () => void): void {
  for (const name of names) {
    let value: unknown = limits[name];
    const set = (next: unknown): void => {
      value = next;
      changed();
    };
    Object.defineProperty(limits, name, { get: () => value, set, enumerable: true, configurable: true });
  }
}

function rateLimit(written: WrittenLimits['rateLimit']): RateLimit | undefined {
  if (!written) return undefined;
  const { messages, per, burst = messages, beyond } = written;
  return { messages, per: toMilliseconds(per), burst, beyond };
}

/**
 * The limits table with its defaults.
 * @throws UsageError for what is no duration or size.
 */
export function resolveLimits(
  written: WrittenLimits,
  framing: Framing<unknown, unknown>,
  scheme: string,
  use: 'listen' | 'connect',
): ConnectionLimits {
  const time = (value: Duration | Off | undefined, fallback: Duration): number => limitOf(toMilliseconds(value ?? fallback));
  const size = (value: Size | Off | undefined, fallback: Size): number => limitOf(toBytes(value ?? fallback));
  const count = (value: number | Off | undefined, fallback: number): number => limitOf(value === false ? 0 : (value ?? fallback));
  const highWaterMark = size(written.highWaterMark, '64kb');
  const maxConnections = count(written.maxConnections, defaultMaxConnections());
  return {
    maxConnections,
    whenFull: written.whenFull ?? 'reject',
    maxPerPeer: count(written.maxPerPeer, defaultMaxPerPeer(maxConnections)),
    maxMessageSize: size(written.maxMessageSize, framing.maxMessageSize ?? '1mb'),
    firstMessageTimeout: time(written.firstMessageTimeout, use === 'listen' ? firstMessageDefault(scheme) : 0),
    messageTimeout: time(written.messageTimeout, '30s'),
    idleTimeout: time(written.idleTimeout, 0),
    connectTimeout: time(written.connectTimeout, '10s'),
    handshakeTimeout: time(written.handshakeTimeout, '10s'),
    highWaterMark,
    lowWaterMark: size(written.lowWaterMark, written.highWaterMark === undefined ? '32kb' : Math.max(1, Math.floor(highWaterMark / 2))),
    maxBufferedBytes: size(written.maxBufferedBytes, '16mb'),
    drainTimeout: time(written.drainTimeout, '30s'),
    halfCloseGrace: time(written.halfCloseGrace, '5s'),
    rateLimit: rateLimit(written.rateLimit),
  };
}
