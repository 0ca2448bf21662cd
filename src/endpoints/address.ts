import { isIPv6 } from 'node:net';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/** Groups of 16 bits in an IPv6 address, and those of them that name its network. */
const GROUPS = 8;
const NETWORK = 4;

/** The IPv4 address of a client that an IPv6 socket accepted; undefined for any other address. */
export function mappedIPv4(address: string): string | undefined {
  return MAPPED.exec(address)?.[1];
}

/** Whether an address is this machine's own: 127.0.0.0/8 or ::1. */
export function isLoopback(address: string): boolean {
  return (mappedIPv4(address) ?? address).startsWith('127.') || address === '::1';
}

/** The network part of an IPv6 address, in hexadecimal groups. An IPv4 tail lies behind it and is not read. */
function networkOf(address: string): string {
  const [front = '', back] = address.split('::');
  const groups = front === '' ? [] : front.split(':');
  const behind = back === undefined || back === '' ? [] : back.split(':');
  const length = behind.length + (behind.at(-1)?.includes('.') ? 1 : 0);
  if (back !== undefined) while (groups.length < GROUPS - length) groups.push('0');
  return [...groups, ...behind]
    .slice(0, NETWORK)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/**
 * Which addresses count as one peer, for limits and fair shares: an IPv4 address by itself, an IPv6 address with its whole /64, because
 * every host is given that many. The loopback is not grouped.
 */
export function peerGroup(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = mappedIPv4(address);
  if (mapped !== undefined) return mapped;
  const [bare = '', zone] = address.split('%');
  if (!isIPv6(bare) || bare === '::1') return address;
  return `${networkOf(bare)}::/64${zone === undefined ? '' : `%${zone}`}`;
}
