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

/** One reading of the tables, shared by all that it is new enough for. */
class Reading {
  readonly #began = monotonicNow();
  /** Milliseconds that it serves from its beginning. */
  #lasts = Infinity;
  isUnderWay = true;
  readonly queues: Promise<SendQueues>;

  constructor() {
    this.queues = readQueues().finally(() => {
      this.isUnderWay = false;
      this.#lasts = (monotonicNow() - this.#began) * (1 + LASTS);
    });
  }

  serves(maxAge: number): boolean {
    return monotonicNow() - this.#began <= Math.min(maxAge, this.#lasts);
  }
}

let latest: Reading | undefined;
/** Begins when the one under way has ended. */
let following: Promise<Reading> | undefined;

/** A reading that began at most `maxAge` ms ago. */
async function readingOf(maxAge: number): Promise<Reading> {
  if (latest?.serves(maxAge)) return latest;
  if (!latest?.isUnderWay) return (latest = new Reading());
  return (following ??= latest.queues.then(() => {
    following = undefined;
    return (latest = new Reading());
  }));
}

/**
 * Bytes that the system holds for the peer of a TCP socket: sent or not, and not acknowledged. They become fewer as the peer reads, also
 * while the system takes nothing new from us because its buffer, of some megabytes, is full. Undefined where the system does not tell
 * (anything but Linux). 0 for a unix socket, whose small buffer hides nothing. Never rejects.
 * @param maxAge milliseconds that the system may have been asked before: one look at all sockets then serves several.
 */
export async function unacknowledgedBytes(socket: Socket, maxAge: number): Promise<number | undefined> {
  const plain = beneath(socket);
  if (plain.remotePort === undefined) return 0;
  const fd = descriptorOf(plain);
  if (process.platform !== 'linux' || fd === undefined) return undefined;
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/self/fd/${fd}`))?.[1];
    return inode === undefined ? undefined : (await (await readingOf(maxAge)).queues).get(inode);
  } catch {
    return undefined;
  }
}
