import { fstatSync, readFileSync, readlinkSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import type { Acceptor, Bound, BoundAddress, EndpointTarget, Transport } from '../endpoint.js';
import { NetListener } from '../net/net-listener.js';
import { backlogOf, socketOptions, tcpTransport, tcpUrlOf } from '../net/tcp.js';
import { unixTransport } from '../net/unix.js';

/** Kind and state of a descriptor that was given to this process, as the system reports them. */
export interface Inherited {
  /** 'other': a file, a datagram socket, a pipe. 'unknown' where the system does not show it. */
  readonly kind: 'tcp' | 'unix' | 'other' | 'unknown';
  readonly listening: boolean;
  readonly path?: string | undefined;
}

const TCP_LISTEN = '0A';
const UNIX_ACCEPTS = 0x10000;
const UNIX_STREAM = 1;

/** The row of a socket in a table of the system; undefined where there is no such table, or no such row. */
function rowOf(table: string, column: number, inode: string): readonly string[] | undefined {
  try {
    for (const line of readFileSync(`/proc/self/net/${table}`, 'latin1').split('\n')) {
      const fields = line.trim().split(/\s+/);
      if (fields[column] === inode) return fields;
    }
  } catch {
    // Not on this system.
  }
  return undefined;
}

function socketOf(inode: string): Inherited {
  const tcp = rowOf('tcp', 9, inode) ?? rowOf('tcp6', 9, inode);
  if (tcp) return { kind: 'tcp', listening: tcp[3] === TCP_LISTEN };
  const [, , , flags = '0', type, , , path] = rowOf('unix', 6, inode) ?? [];
  if (type === undefined) return { kind: 'other', listening: false };
  const isStream = parseInt(type, 16) === UNIX_STREAM;
  return { kind: isStream ? 'unix' : 'other', listening: (parseInt(flags, 16) & UNIX_ACCEPTS) !== 0, path };
}

/** Looks at a descriptor without touching it. Undefined: it is not open. */
export function lookAt(descriptor: number): Inherited | undefined {
  try {
    if (!fstatSync(descriptor).isSocket()) return { kind: 'other', listening: false };
  } catch {
    return undefined;
  }
  try {
    return socketOf(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))![1]!);
  } catch {
    return { kind: 'unknown', listening: true };
  }
}

/** Descriptors that this process has used. A number that was closed may mean something else by now. */
const USED = new Set<number>();

/** Takes a descriptor for good, or says in words why that cannot be. */
export function adopt(descriptor: number, listens: boolean): Inherited | string {
  if (USED.has(descriptor)) return `descriptor ${descriptor} has been taken by this process already`;
  const found = lookAt(descriptor);
  if (!found) return `descriptor ${descriptor} is not open: it was not passed to this process`;
  if (found.kind === 'other') return `descriptor ${descriptor} is no stream socket`;
  if (found.kind !== 'unknown' && found.listening !== listens) {
    return listens
      ? `descriptor ${descriptor} is a connection, not a listening socket: write it as \`connect:\``
      : `descriptor ${descriptor} is a listening socket, not a connection: write it as \`listen:\``;
  }
  USED.add(descriptor);
  return found;
}

/** A socket of either family as a transport. */
export function inheritedTransport(socket: Socket, { kind, path }: Inherited, isClient: boolean): Transport {
  const isTcp = kind === 'tcp' || (kind === 'unknown' && socket.remoteAddress !== undefined);
  return isTcp ? tcpTransport(socket) : unixTransport(path, isClient)(socket);
}

function addressOf(bound: string | AddressInfo | null, { path }: Inherited, url: string): BoundAddress {
  if (typeof bound === 'object' && bound) return { url: tcpUrlOf('tcp', bound.address, bound.port), host: bound.address, port: bound.port };
  // Node has no address for an inherited unix socket.
  return path === undefined ? { url, host: '', port: 0 } : { url: `unix:${path}`, host: '', port: 0, path };
}

/** Accepts from a listening socket that was adopted. Its file, if it has one, belongs to the process that made it. Throws ListenError. */
export async function listenOn(descriptor: number, found: Inherited, target: EndpointTarget, acceptor: Acceptor): Promise<Bound> {
  const { url, options } = target;
  const where = { fd: descriptor, backlog: backlogOf(options) };
  const toTransport = (socket: Socket): Transport => inheritedTransport(socket, found, false);
  const listener = await NetListener.bind(target, socketOptions(options), where, toTransport, acceptor);
  return { address: addressOf(listener.server.address(), found, url), inherited: true, close: () => listener.close() };
}
