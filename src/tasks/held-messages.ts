import { Buffer } from 'node:buffer';
import { attachmentsOf } from '../wire/codec/attachments.js';
import { ReceivedBody } from '../wire/link/body.js';
import type { Body, Encoded } from '../wire/link/types.js';

type Receive = (kind: number, id: number, arg: number, body: Body) => void;

interface Held {
  readonly kind: number;
  readonly id: number;
  readonly arg: number;
  readonly bytes: Encoded | undefined;
}

const NOTHING = Buffer.alloc(0);

/** Messages that were read while a task runs synchronously: kept, in their order, until it returns to the event loop. */
export class HeldMessages {
  #held: Held[] = [];

  get hasAny(): boolean {
    return this.#held.length > 0;
  }

  hold(kind: number, id: number, arg: number, body: Body): void {
    this.#held.push({ kind, id, arg, bytes: body.length > 0 ? body.take() : undefined });
  }

  /** Hands over all of them, in their order; what is held meanwhile waits for the next time. */
  release(receive: Receive): void {
    const held = this.#held;
    this.#held = [];
    for (const { kind, id, arg, bytes } of held) {
      const body = new ReceivedBody(() => bytes && attachmentsOf(bytes));
      const buf = bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : NOTHING;
      body.show(buf, 0, buf.length, true);
      receive(kind, id, arg, body);
    }
  }
}
