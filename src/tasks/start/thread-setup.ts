import { Buffer } from 'node:buffer';
import process from 'node:process';
import type { Writable } from 'node:stream';
import { workerData, type MessagePort } from 'node:worker_threads';
import { MARK_SLOT, MOST_PRINTED, PRINTED_SLOT, THREAD_KEY, type ThreadStart } from '../../hosts/thread/contract.js';
import { PortStream } from '../../hosts/thread/port-stream.js';
import type { StartedMark } from '../started-mark.js';

/** A worker thread's connections to its master. */
export interface ThreadLink {
  readonly stream: PortStream;
  readonly mark: StartedMark;
}

/** The mark of a worker thread: a number in memory that it shares with the master. */
class SharedMark implements StartedMark {
  readonly #slots: Int32Array;

  constructor(slots: Int32Array) {
    this.#slots = slots;
  }

  begin(id: number): void {
    Atomics.store(this.#slots, MARK_SLOT, id);
  }
}

function given(): Record<string, unknown> {
  return typeof workerData === 'object' && workerData !== null ? (workerData as Record<string, unknown>) : {};
}

/** True in a thread that its host has started to be a worker, and that has not become one yet. */
export function isWorkerThread(): boolean {
  return given()[THREAD_KEY] !== undefined;
}

/**
 * Makes this thread a worker's: the first thing that runs in it, before any code of the application.
 * @throws Error when this thread was not started by a thread host.
 */
export function prepareThread(): ThreadLink {
  const data = given();
  const start = data[THREAD_KEY] as ThreadStart | undefined;
  if (!start) throw new Error('this file is what a worker thread runs first: packet-ts starts it, with a link to the master');
  // The application's code does not find it there.
  delete data[THREAD_KEY];
  const slots = new Int32Array(start.shared);
  printTo(process.stdout, 1, start.output, slots);
  printTo(process.stderr, 2, start.output, slots);
  return { stream: new PortStream(start.link), mark: new SharedMark(slots) };
}

/** The two methods of a stream by which it is written. */
interface Sink {
  _write(chunk: Uint8Array | string, encoding: BufferEncoding, written: () => void): void;
  _writev: null;
}

/**
 * Sends output to the master at once, and not when this thread's event loop turns: nothing printed before its end is lost. While the
 * master has not read what came before, printing waits.
 */
function printTo(stream: Writable, fd: 1 | 2, port: MessagePort, slots: Int32Array): void {
  const sink: Sink = {
    _write(chunk, encoding, written) {
      const whole = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
      // In pieces: one write of 300 MB must not lie in the master, whose memory this is as well.
      for (let at = 0; at < whole.length; at += MOST_PRINTED) {
        const bytes = new Uint8Array(whole.subarray(at, at + MOST_PRINTED));
        // Counted first: bytes that are moved have no length any more.
        let waiting = Atomics.add(slots, PRINTED_SLOT, bytes.length) + bytes.length;
        port.postMessage([fd, bytes], [bytes.buffer]);
        while (waiting > MOST_PRINTED) {
          Atomics.wait(slots, PRINTED_SLOT, waiting);
          waiting = Atomics.load(slots, PRINTED_SLOT);
        }
      }
      written();
    },
    _writev: null,
  };
  Object.assign(stream, sink);
}
