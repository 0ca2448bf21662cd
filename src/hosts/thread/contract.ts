import type { MessagePort } from 'node:worker_threads';

/** Where in `workerData` a thread finds what its host gave it. */
export const THREAD_KEY = 'packet-ts';

/** Data that the host gives a thread that is to be a worker. */
export interface ThreadStart {
  /** The link's bytes. */
  readonly link: MessagePort;
  /** The worker's output: `[1 | 2, bytes]`, by descriptor. */
  readonly output: MessagePort;
  /** Int32 slots, by the constants below. */
  readonly shared: SharedArrayBuffer;
}

/** Slot: the highest call id that may have begun. The thread stores it before the call begins, so it is known after its death. */
export const MARK_SLOT = 0;
/** Slot: bytes that the thread printed and the master has not read. */
export const PRINTED_SLOT = 1;
export const SLOTS = 2;

/** Bytes that may be printed and not read: beyond them the thread waits in its `write()`, as a process does whose pipe is full. */
export const MOST_PRINTED = 64 * 1024;
