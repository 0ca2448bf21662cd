import { Buffer } from 'node:buffer';

/** Kinds of the messages that a byte link consists of. */
export const FrameKind = {
  /** Caller→host: opens a session. Body: the subject prefix of the caller. Repeated until something comes back. */
  OPEN: 0,
  /** Bytes number `a`; everything up to number `b` has been read. */
  DATA: 1,
  /** Everything up to number `b` has been read. */
  ACK: 2,
  /** Number `a` was the last one sent. Answered by PONG. */
  PING: 3,
  PONG: 4,
  /** Numbers from `b` + 1 on are missing: they are to be sent again. */
  AGAIN: 5,
  /** Number `a`: no more bytes will come. */
  FIN: 6,
  /** The link is over. Body: why, as text. */
  RESET: 7,
} as const;

/** Bytes before the body. */
export const HEADER = 9;

/** Bytes of body at most: small enough that others' messages are not held up behind one. */
export const MAX_BODY = 32 * 1024;

/** One frame: its kind, two 32-bit numbers, and a body. */
export interface Frame {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly body: Buffer;
}

export function encodeFrame(kind: number, a: number, b: number, body?: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER + (body?.length ?? 0));
  frame[0] = kind;
  frame.writeUInt32LE(a, 1);
  frame.writeUInt32LE(b, 5);
  if (body) frame.set(body, HEADER);
  return frame;
}

/** Undefined for what is no frame: anyone may publish anything. */
export function decodeFrame(data: Uint8Array): Frame | undefined {
  if (data.length < HEADER || data[0]! > FrameKind.RESET) return undefined;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return { kind: bytes[0]!, a: bytes.readUInt32LE(1), b: bytes.readUInt32LE(5), body: bytes.subarray(HEADER) };
}

/** Frames from `from` to `to`, both counted modulo 2^32; negative when `to` lies before. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}

/** The number after this one. */
export function following(seq: number): number {
  return (seq + 1) >>> 0;
}
