import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../clock.js';
import { deadline } from '../../deadline.js';
import { ConnectionClosedError, LimitError } from '../../errors.js';
import { guard } from '../../guard.js';
import { bodyTooLarge, type BodyLimits } from '../incoming.js';

const NOTHING = Buffer.alloc(0);

/** Joins chunks as they come: many small ones take no more memory than their bytes, twice. */
class Gathered {
  #buffer: Buffer = NOTHING;
  /** The buffer is a chunk that others may share: not to be written to. */
  #isChunk = false;
  length = 0;

  add(chunk: Buffer): void {
    const { length } = this;
    this.length += chunk.length;
    if (length === 0) {
      this.#buffer = chunk;
      this.#isChunk = true;
      return;
    }
    if (this.#isChunk || this.length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.length, 2 * length));
      this.#buffer.copy(larger, 0, 0, length);
      this.#buffer = larger;
      this.#isChunk = false;
    }
    chunk.copy(this.#buffer, length);
  }

  take(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }
}

/**
 * Reads the body of a request as a whole.
 * @throws LimitError beyond `maxMessageSize` bytes, or when it is not whole within `messageTimeout` ms; ConnectionClosedError when the client leaves.
 */
export function readBody(request: IncomingMessage, limits: BodyLimits, clock: Clock): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { messageTimeout, maxMessageSize } = limits;
    const gathered = new Gathered();
    const late = (): void =>
      fail(new LimitError('messageTimeout', `the request was not whole within messageTimeout (${messageTimeout} ms)`));
    const timer = messageTimeout === Infinity ? undefined : deadline(clock, messageTimeout, late, true);
    const done = (): void => {
      timer?.cancel();
      request.off('data', onData).off('end', onEnd).off('close', onClose);
    };
    const fail = (error: Error): void => {
      done();
      request.pause();
      reject(error);
    };
    const onData = guard(request, (chunk: Buffer) => {
      gathered.add(chunk);
      if (gathered.length > maxMessageSize) fail(bodyTooLarge(limits));
    });
    const onEnd = guard(request, () => {
      done();
      resolve(gathered.take());
    });
    const onClose = guard(request, () => fail(new ConnectionClosedError('the client left before the request was whole')));
    request.on('error', () => {});
    if (request.destroyed) {
      onClose();
      return;
    }
    request.on('end', onEnd).on('close', onClose).on('data', onData);
  });
}
