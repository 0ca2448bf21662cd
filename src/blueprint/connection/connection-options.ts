import type { ConnectionOptions } from '../../decorators/connection/endpoint-types.js';
import { limitOf, toBytes, type Size } from '../../units.js';
import { hostNames, origins, subprotocols } from './list-rules.js';
import { cors } from './cors-rule.js';
import type { Report } from '../mistakes.js';
import {
  callable,
  count,
  duration,
  either,
  fileMode,
  flag,
  framing,
  list,
  number,
  object,
  off,
  oneOf,
  ranges,
  shape,
  size,
  text,
  texts,
  type Rule,
  type Rules,
} from '../option-rules.js';

/** Every option that may stand beside an endpoint: the compiler holds it to the types. */
const PER_ENDPOINT = {
  framing,
  tls: object,
  mode: fileMode,
  origins,
  cors,
  hosts: hostNames,
  allowHttp: flag,
  authorize: callable,
  protocols: subprotocols,
  stream: flag,
  broadcast: flag,
  multicast: shape({ groups: texts, interface: text, ttl: count(0), loopback: flag }, ['groups']),
  concurrency: count(1),
  ordered: flag,
  allowHalfOpen: flag,
  reconnect: shape({ delay: duration, factor: number(1), maxDelay: duration, jitter: flag }),
  maxConnections: count(0, true),
  whenFull: oneOf('reject', 'pause'),
  maxPerPeer: count(0, true),
  maxMessageSize: size,
  firstMessageTimeout: duration,
  messageTimeout: duration,
  idleTimeout: duration,
  connectTimeout: duration,
  handshakeTimeout: duration,
  highWaterMark: size,
  lowWaterMark: size,
  maxBufferedBytes: size,
  drainTimeout: duration,
  halfCloseGrace: duration,
  rateLimit: either(
    shape({ messages: count(1), per: duration, burst: count(1), beyond: oneOf('pause', 'close') }, ['messages', 'per', 'beyond']),
    off,
  ),
  allow: ranges,
  deny: ranges,
  trustProxy: ranges,
  proxyProtocol: shape({ from: ranges }, ['from']),
  backlog: count(1),
  noDelay: flag,
  keepAlive: duration,
} satisfies Record<Exclude<keyof ConnectionOptions<unknown, unknown>, 'listen' | 'connect'>, Rule>;

const where = either(text, list, object, callable);

/** The options of an endpoint, besides its url. */
export const endpointRules: Rules = PER_ENDPOINT;
/** The options of `@Connection`. */
export const connectionRules: Rules = { ...PER_ENDPOINT, listen: where, connect: where };

function bytesOf(options: Readonly<Record<string, unknown>>, name: string, fallback: Size): number {
  return limitOf(toBytes((options[name] as Size | undefined) ?? fallback));
}

/** Options that are right by themselves and contradict each other. */
export function checkWatermarks(options: Readonly<Record<string, unknown>>, member: string | undefined, report: Report): void {
  const high = bytesOf(options, 'highWaterMark', '64kb');
  const low = bytesOf(options, 'lowWaterMark', options['highWaterMark'] === undefined ? '32kb' : Math.floor(high / 2));
  if (low > high) report(member, `lowWaterMark is above highWaterMark (${low} and ${high} bytes)`, 'write a lowWaterMark below it');
  const most = bytesOf(options, 'maxBufferedBytes', '16mb');
  if (options['maxBufferedBytes'] !== undefined && most < high) {
    report(
      member,
      `maxBufferedBytes is below highWaterMark (${most} and ${high} bytes)`,
      'a peer would be dropped before it counts as congested: raise it',
    );
  }
}
