import { readFile, readlink } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { descriptorOf } from '../../node-internals.js';
import { monotonicNow } from '../../system-timers.js';
import { beneath } from './reset-socket.js';

/** Bytes in the send queue of each TCP socket that the system lists, by inode. */
type SendQueues = ReadonlyMap<string, number>;

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
/** Columns of these tables, counted from 0. */
const QUEUES = 4;
const INODE = 9;
/** A table serves for this many times as long as it took to read: reading costs at most a tenth of the time, however many sockets there are. */
const LASTS = 10;

function parse(table: string, queues: Map<string, number>): void {
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    const inode = columns[INODE];
    if (inode !== undefined) queues.set(inode, Number.parseInt(columns[QUEUES]!, 16));
  }
}

async function readQueues(): Promise<SendQueues> {
  const queues = new Map<string, number>();
  for (const table of await Promise.all(TABLES.map(path => readFile(path, 'latin1').catch(() => '')))) parse(table, queues);
  return queues;
}

let latest: Promise<SendQueues> | undefined;
let validUntil = 0;

/** Shared by all that ask while it is read, and for a moment afterwards. */
function queuesNow(): Promise<SendQueues> {
  const now = monotonicNow();
  if (latest && now < validUntil) return latest;
  validUntil = Infinity;
  latest = readQueues().finally(() => {
    const read = monotonicNow();
    validUntil = read + (read - now) * LASTS;
  });
  return latest;
}

/**
 * Bytes that the system holds for the peer of a TCP socket: sent or not, and not acknowledged. They become fewer as the peer reads, also
 * while the system takes nothing new from us because its buffer, of some megabytes, is full. Undefined where the system does not tell
 * (anything but Linux). 0 for a unix socket, whose small buffer hides nothing. Never rejects.
 */
export async function unacknowledgedBytes(socket: Socket): Promise<number | undefined> {
  const plain = beneath(socket);
  if (plain.remotePort === undefined) return 0;
  const fd = descriptorOf(plain);
  if (process.platform !== 'linux' || fd === undefined) return undefined;
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/self/fd/${fd}`))?.[1];
    return inode === undefined ? undefined : (await queuesNow()).get(inode);
  } catch {
    return undefined;
  }
}
