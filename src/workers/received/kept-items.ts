import { decodeReceived } from '../../wire/codec/codec.js';
import type { Body, Encoded } from '../../wire/link/types.js';
import type { Keeper, UnreadBytes } from './unread.js';

/** Items of fewer bytes are decoded when they come. A larger one waits as its bytes: decoded, it could take forty times as much. */
const SMALL = 1024;

/** One item. `encoded`: it is still to be decoded. */
interface Kept {
  readonly value: unknown;
  readonly bytes: number;
  readonly encoded: boolean;
}

/** Items of a stream that have not been taken yet, in order. */
export class KeptItems implements Keeper {
  readonly #ledger: UnreadBytes;
  readonly #onOverflow: (bytes: number) => void;
  readonly #items: Kept[] = [];
  #unread = 0;

  /** @param onOverflow it has let go of everything, because it kept most of so many bytes that were kept */
  constructor(ledger: UnreadBytes, onOverflow: (bytes: number) => void) {
    this.#ledger = ledger;
    this.#onOverflow = onOverflow;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Bytes of those that were not decoded. */
  get unread(): number {
    return this.#unread;
  }

  /** Throws ProtocolError for a small one that cannot be decoded. */
  push(body: Body): void {
    const bytes = body.length;
    if (bytes < SMALL) return void this.#items.push({ value: body.value(), bytes, encoded: false });
    this.#items.push({ value: body.take(), bytes, encoded: true });
    this.#unread += bytes;
    this.#ledger.keep(this, bytes);
  }

  /** The first one. There must be one. Throws ProtocolError where it cannot be decoded. */
  shift(): { readonly value: unknown; readonly bytes: number } {
    const item = this.#items.shift()!;
    if (!item.encoded) return item;
    this.#forget(item.bytes);
    return { value: decodeReceived(item.value as Encoded), bytes: item.bytes };
  }

  clear(): void {
    this.#items.length = 0;
    if (this.#unread > 0) this.#forget(this.#unread);
  }

  overflow(): void {
    const { bytes } = this.#ledger;
    this.clear();
    this.#onOverflow(bytes);
  }

  #forget(bytes: number): void {
    this.#unread -= bytes;
    this.#ledger.forget(this, bytes);
  }
}
