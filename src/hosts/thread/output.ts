import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { guard } from '../../guard.js';
import { PRINTED_SLOT } from './contract.js';

type Printed = readonly [fd: 1 | 2, bytes: Uint8Array<ArrayBuffer>];

/** The stdout and stderr of a thread, as the master reads them. */
export class ThreadOutput {
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly #port: MessagePort;
  readonly #slots: Int32Array;

  constructor(port: MessagePort, slots: Int32Array) {
    this.#port = port;
    this.#slots = slots;
    this.stdout = this.#pipe();
    this.stderr = this.#pipe();
    port.on(
      'message',
      guard(this.stdout, (printed: Printed) => this.#take(printed)),
    );
    // Output alone keeps nothing running.
    port.unref();
  }

  /** The thread has ended: what it printed before is read, then both end. */
  end(): void {
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port))
      this.#take(next.message as Printed);
    this.#port.close();
    this.stdout.push(null);
    this.stderr.push(null);
  }

  #pipe(): Readable {
    const pipe = new Readable({ read() {} });
    // Bytes that leave the pipe have been read: a thread that waits in its write() goes on.
    pipe.on(
      'data',
      guard(pipe, (chunk: Buffer) => {
        Atomics.sub(this.#slots, PRINTED_SLOT, chunk.length);
        Atomics.notify(this.#slots, PRINTED_SLOT);
      }),
    );
    pipe.on('error', () => {});
    return pipe;
  }

  #take([fd, bytes]: Printed): void {
    (fd === 1 ? this.stdout : this.stderr).push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }
}
