import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { MessagePort } from 'node:worker_threads';
import { hasMoved, isMoving } from '../../transfer.js';
import type { Encoded } from '../link/types.js';
import type { ValueEncoder } from './encoder.js';
import { Tag, VIEW_TYPES } from './tags.js';
import { Unmovable, viewType } from './cloneable.js';

/** Things that travel beside an encoded value: memory that is moved or shared, and ports. In the value stand their numbers. */
export type Attachments = readonly unknown[];

/** Bytes in front of a value that has attachments: the tag, and the number of their list on the link. */
export const ATTACHED_SIZE = 5;
/** The type of a view that is a Buffer. */
const BUFFER_TYPE = VIEW_TYPES.length;

/** As it is before a worker's code can replace it. */
const { structuredClone: clone } = globalThis;

/** Lists of encoded values that were not sent yet. */
const lists = new WeakMap<Encoded, Attachments>();

/** True for an encoded value beside which things travel. */
export function hasAttachments(encoded: Uint8Array, start = 0): boolean {
  return encoded[start] === Tag.ATTACHED;
}

export function keepAttachments(encoded: Encoded, attachments: Attachments): void {
  lists.set(encoded, attachments);
}

/** The objects that travel beside this value; undefined where there are none, or they have gone already. */
export function attachmentsOf(encoded: Encoded): Attachments | undefined {
  return lists.get(encoded);
}

/** Takes what travels beside a value, for its way. What is only shared can be sent once more. */
export function takeAttachments(encoded: Encoded): Attachments {
  const list = lists.get(encoded) ?? [];
  if (!list.every(each => types.isSharedArrayBuffer(each))) lists.delete(encoded);
  return list;
}

/** True for a value that was sent, and cannot be sent again: something in it has been moved away. */
export function isSpent(encoded: Encoded): boolean {
  return hasAttachments(encoded) && !lists.has(encoded);
}

/**
 * Writes what is not copied: shared memory, memory that is to be moved, ports. False: it is none of these, and nothing was written.
 * @param list where it is put
 */
export function encodeAttached(encoder: ValueEncoder, value: object, list: unknown[]): boolean {
  if (!ArrayBuffer.isView(value)) {
    const travels = types.isArrayBuffer(value) ? isMoving(value) : types.isSharedArrayBuffer(value) || value instanceof MessagePort;
    if (travels) {
      encoder.byte(Tag.ATTACHMENT);
      encoder.uint32(numberOf(value, list));
    }
    return travels;
  }
  const { buffer, byteOffset, byteLength } = value;
  const whole = byteLength === buffer.byteLength && isMoving(buffer);
  if (!whole && !types.isSharedArrayBuffer(buffer)) return false;
  const type = Buffer.isBuffer(value) ? BUFFER_TYPE : viewType(value);
  if (type < 0) return false;
  encoder.byte(Tag.ATTACHED_VIEW);
  encoder.byte(type);
  encoder.uint32(numberOf(buffer, list));
  encoder.double(byteOffset);
  encoder.double(byteLength);
  return true;
}

function numberOf(thing: unknown, list: unknown[]): number {
  const at = list.indexOf(thing);
  return at >= 0 ? at : list.push(thing) - 1;
}

function moved<T extends ArrayBuffer | MessagePort>(thing: T): T {
  try {
    return clone(thing, { transfer: [thing as ArrayBuffer] });
  } catch (error) {
    throw new Unmovable(thing, error);
  }
}

/**
 * Takes the ports and the memory in `list` that are to be moved out of the caller's hands, at the moment at which others are copied. Ports
 * come first: while one of them is refused, all memory is still in its place.
 * @throws Unmovable for a port that was closed or passed on already, and for memory that cannot be moved (WebAssembly's).
 */
export function moveAway(list: unknown[]): void {
  for (const [at, each] of list.entries()) if (each instanceof MessagePort) list[at] = moved(each);
  for (const [at, each] of list.entries()) {
    if (!types.isArrayBuffer(each)) continue;
    list[at] = moved(each);
    hasMoved(each);
  }
}

/** A view of memory that came beside its value. Throws what a constructor throws for a place that is not in it. */
export function attachedView(type: number, buffer: unknown, byteOffset: number, byteLength: number): object | undefined {
  if (!types.isAnyArrayBuffer(buffer)) return undefined;
  if (type === BUFFER_TYPE) return Buffer.from(buffer, byteOffset, byteLength);
  const View = VIEW_TYPES[type];
  if (View === undefined || View === ArrayBuffer) return undefined;
  const size = (View as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
  return new (View as Uint8ArrayConstructor)(buffer, byteOffset, byteLength / size);
}
