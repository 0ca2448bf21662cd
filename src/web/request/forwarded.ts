import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { proxyRule } from '../../reactor/listen/admission.js';
import { isHost } from '../request-target.js';

/** A client as the proxies in front tell of it; undefined where they say nothing of a part. */
export interface Forwarded {
  /** The client's address. */
  readonly address: string | undefined;
  /** The client speaks TLS to the first proxy. */
  readonly secure: boolean | undefined;
  /** The host that the client asked for. */
  readonly host: string | undefined;
}

/** Reads the option `trustProxy`: whether an address is one of our proxies. Undefined: there are none. */
export function trustedProxies({ trustProxy }: Readonly<Record<string, unknown>>): ((address: string) => boolean) | undefined {
  // The blueprint has checked it.
  const from = trustProxy as readonly string[] | undefined;
  const isProxy = proxyRule(from ? { proxyProtocol: { from } } : {});
  return isProxy && (address => isProxy({ address }));
}

function valuesOf(header: string | string[] | undefined): readonly string[] {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return text.split(',').map(value => value.trim());
}

/** The address in `1.2.3.4`, `1.2.3.4:80`, `::1` or `[::1]:80`; undefined: none. */
function addressIn(value: string): string | undefined {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(value)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(value)?.[1] ?? value;
  return isIP(bare) === 0 ? undefined : bare;
}

/**
 * Reads `X-Forwarded-For`, `-Proto` and `-Host` of a request that came from a trusted proxy; undefined: it came from elsewhere, and its
 * word counts for nothing. The client is the last address that is no trusted proxy; of the others the last value counts: the nearest
 * proxy has written it, and earlier ones may be the client's own.
 */
export function forwardedBy(request: IncomingMessage, isTrusted: (address: string) => boolean): Forwarded | undefined {
  const { headers, socket } = request;
  const { remoteAddress } = socket;
  if (remoteAddress === undefined || !isTrusted(remoteAddress)) return undefined;
  let address: string | undefined;
  for (const value of [...valuesOf(headers['x-forwarded-for'])].reverse()) {
    const hop = addressIn(value);
    if (hop === undefined) break;
    address = hop;
    if (!isTrusted(hop)) break;
  }
  const protocol = valuesOf(headers['x-forwarded-proto']).at(-1)?.toLowerCase();
  const host = valuesOf(headers['x-forwarded-host']).at(-1);
  return {
    address,
    secure: protocol === 'https' ? true : protocol === 'http' ? false : undefined,
    host: host !== undefined && isHost(host) ? host : undefined,
  };
}
