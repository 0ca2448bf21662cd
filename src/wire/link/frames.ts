import { Buffer } from 'node:buffer';
import { ProtocolError } from '../../errors.js';
import { OWN_LIMITS } from './protocol.js';

/**
 * A frame: u32 length of what follows | u8 kind | u32 id | u32 arg | the encoded value. Little-endian.
 * Values above PIECE_SIZE travel as one LARGE frame, which announces them, and PIECE frames, with other messages between them.
 */
export const HEADER_SIZE = 13;
/** The most bytes of value that one frame may have. */
export const PIECE_SIZE = 64 * 1024;
/** Value: u8 kind, u32 total length. id and arg are the message's own. One at a time. */
export const LARGE = 200;
/** Value: the next bytes of the large value. */
export const PIECE = 201;
/** Kinds from here on are the link's own. */
const INTERNAL = 200;

export function writeHeader(buf: Buffer, at: number, length: number, kind: number, id: number, arg: number): void {
  length += HEADER_SIZE - 4;
  buf[at] = length;
  buf[at + 1] = length >>> 8;
  buf[at + 2] = length >>> 16;
  buf[at + 3] = length >>> 24;
  buf[at + 4] = kind;
  buf[at + 5] = id;
  buf[at + 6] = id >>> 8;
  buf[at + 7] = id >>> 16;
  buf[at + 8] = id >>> 24;
  buf[at + 9] = arg;
  buf[at + 10] = arg >>> 8;
  buf[at + 11] = arg >>> 16;
  buf[at + 12] = arg >>> 24;
}

function uint32(buf: Buffer, at: number): number {
  return (buf[at]! | (buf[at + 1]! << 8) | (buf[at + 2]! << 16) | (buf[at + 3]! << 24)) >>> 0;
}

/** `buf[start, end)` is the encoded value. `owned`: that memory is never reused. */
export type OnFrame = (kind: number, id: number, arg: number, buf: Buffer, start: number, end: number, owned: boolean) => void;

/**
 * Cuts a byte stream into messages, wherever its chunks end.
 *
 * Room for a large value is made at once where its size is within the limit: the system gives memory when it is written to, not before.
 * Where there is no limit, room grows with what arrives, unless the other side is trusted.
 */
export class FrameReader {
  readonly #limit: number;
  /** Large values up to this size are made room for at once. */
  readonly #believed: number;
  readonly #onFrame: OnFrame;
  /** The beginning of a frame whose rest has not arrived; made when first needed. */
  #carry: Buffer | undefined;
  #carried = 0;
  /** Bytes of the PIECE under way that have not arrived. */
  #pieceLeft = 0;
  /** The large value under way. */
  #large:
    { readonly kind: number; readonly id: number; readonly arg: number; readonly total: number; bytes: Buffer; got: number } | undefined;
  #stopped = false;

  /**
   * @param limit the most bytes of a value; 0: none
   * @param trusted the other side announces nothing that it does not send
   */
  constructor(limit: number, onFrame: OnFrame, trusted = false) {
    this.#limit = limit > 0 ? limit : Number.MAX_SAFE_INTEGER;
    this.#believed = limit > 0 || trusted ? this.#limit : PIECE_SIZE;
    this.#onFrame = onFrame;
  }

  /** No more messages, even from the chunk under way. */
  stop(): void {
    this.#stopped = true;
    this.#carry = this.#large = undefined;
  }

  /** Hands over every message that is complete. Throws ProtocolError. */
  push(chunk: Buffer): void {
    const end = chunk.length;
    let pos = 0;
    while (pos < end && !this.#stopped) {
      if (this.#pieceLeft > 0) pos = this.#takePiece(chunk, pos);
      else if (this.#carried > 0) pos = this.#fill(chunk, pos);
      else {
        const left = end - pos;
        if (left < HEADER_SIZE) return this.#keep(chunk, pos);
        const length = this.#length(chunk, pos);
        if (chunk[pos + 4] === PIECE) {
          this.#beginPiece(length);
          pos += HEADER_SIZE;
        } else {
          if (length + 4 > left) return this.#keep(chunk, pos);
          this.#deliver(chunk, pos, pos + 4 + length);
          pos += 4 + length;
        }
      }
    }
  }

  #length(buf: Buffer, at: number): number {
    const length = uint32(buf, at);
    if (length < HEADER_SIZE - 4) throw new ProtocolError(`a frame of ${length} bytes is too short`);
    if (length > PIECE_SIZE + HEADER_SIZE - 4) throw new ProtocolError(`a frame of ${length} bytes is too long`);
    this.#checkSize(buf[at + 4]!, length - (HEADER_SIZE - 4));
    return length;
  }

  #deliver(buf: Buffer, at: number, end: number): void {
    const kind = buf[at + 4]!;
    const id = uint32(buf, at + 5);
    const arg = uint32(buf, at + 9);
    if (kind < INTERNAL) this.#onFrame(kind, id, arg, buf, at + HEADER_SIZE, end, false);
    else if (kind === LARGE) this.#beginLarge(id, arg, buf, at + HEADER_SIZE, end);
    else throw new ProtocolError(`a frame of the unknown kind ${kind}`);
  }

  /** Pieces were announced. */
  #checkSize(kind: number, size: number): void {
    if (size <= this.#limit || kind === PIECE || size <= (OWN_LIMITS.get(kind) ?? 0)) return;
    throw new ProtocolError(`a value is larger than maxMessageSize (${this.#limit} bytes)`);
  }

  #keep(chunk: Buffer, pos: number): void {
    this.#carry ??= Buffer.allocUnsafeSlow(PIECE_SIZE + HEADER_SIZE);
    this.#carried = chunk.copy(this.#carry, 0, pos);
  }

  /** Completes the carried frame, as far as the chunk goes. */
  #fill(chunk: Buffer, pos: number): number {
    const carry = this.#carry!;
    if (this.#carried < HEADER_SIZE) {
      const copied = chunk.copy(carry, this.#carried, pos, pos + HEADER_SIZE - this.#carried);
      this.#carried += copied;
      pos += copied;
      if (this.#carried < HEADER_SIZE) return pos;
    }
    const length = this.#length(carry, 0);
    if (carry[4] === PIECE) {
      this.#carried = 0;
      this.#beginPiece(length);
      return pos;
    }
    const copied = chunk.copy(carry, this.#carried, pos, pos + length + 4 - this.#carried);
    this.#carried += copied;
    if (this.#carried === length + 4) {
      this.#carried = 0;
      this.#deliver(carry, 0, length + 4);
    }
    return pos + copied;
  }

  #beginLarge(id: number, arg: number, buf: Buffer, start: number, end: number): void {
    const kind = buf[start]!;
    if (this.#large !== undefined || end - start !== 5 || kind >= INTERNAL)
      throw new ProtocolError('a large value begins where it must not');
    const total = uint32(buf, start + 1);
    this.#checkSize(kind, total);
    if (total <= PIECE_SIZE) throw new ProtocolError(`a value of ${total} bytes is sent as a large one`);
    this.#large = { kind, id, arg, total, bytes: Buffer.allocUnsafeSlow(total <= this.#believed ? total : PIECE_SIZE), got: 0 };
  }

  #beginPiece(length: number): void {
    this.#pieceLeft = length - (HEADER_SIZE - 4);
    if (this.#large === undefined || this.#pieceLeft === 0 || this.#large.got + this.#pieceLeft > this.#large.total) {
      throw new ProtocolError('a piece that belongs to no large value');
    }
  }

  #takePiece(chunk: Buffer, pos: number): number {
    const large = this.#large!;
    const length = Math.min(this.#pieceLeft, chunk.length - pos);
    if (large.got + length > large.bytes.length) {
      // Never more than four times what has arrived, and a third of it copied on average.
      const next = Buffer.allocUnsafeSlow(Math.min(large.total, large.bytes.length * 4));
      large.bytes.copy(next, 0, 0, large.got);
      large.bytes = next;
    }
    chunk.copy(large.bytes, large.got, pos, pos + length);
    large.got += length;
    this.#pieceLeft -= length;
    if (large.got === large.total) {
      this.#large = undefined;
      this.#onFrame(large.kind, large.id, large.arg, large.bytes, 0, large.total, true);
    }
    return pos + length;
  }
}
