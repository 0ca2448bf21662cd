import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { isLoopback } from '../endpoints/address.js';

/**
 * Whether a request on the loopback names a host that it may: an address, `localhost`, a name below it, a name without a dot, or one of
 * `hosts` ('*' is all). A page whose own name was pointed at 127.0.0.1 (DNS rebinding) has another. The target is normal.
 */
export function isHostAllowed({ headers, socket }: IncomingMessage, hosts: readonly string[]): boolean {
  const { host = '' } = headers;
  const name = host.replace(/:\d*$/, '').toLowerCase();
  if (!name.includes('.') || isIP(name) !== 0 || name.endsWith('.localhost')) return true;
  if (hosts.some(allowed => allowed === '*' || allowed.toLowerCase() === name)) return true;
  return !isLoopback(socket.localAddress ?? '');
}
