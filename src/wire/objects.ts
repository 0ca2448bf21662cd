import { types } from 'node:util';
import { collides, refusal, viewType } from './cloneable.js';
import type { Encoder } from './encoder.js';
import { encodeError } from './error-encoding.js';
import { REGEXP_PADDING, Tag, VIEW_PADDING } from './tags.js';

/** Objects that are neither arrays nor plain. Throws `refused` for what cannot be copied. */
export function encodeObject(encoder: Encoder, value: object, refused: unknown): void {
  if (ArrayBuffer.isView(value)) return Buffer.isBuffer(value) ? encodeBuffer(encoder, value) : encodeView(encoder, value, refused);
  if (types.isMap(value)) return encodeMap(encoder, value, refused);
  if (types.isSet(value)) return encodeSet(encoder, value, refused);
  if (types.isDate(value)) {
    encoder.byte(Tag.DATE);
    return encoder.double(Date.prototype.getTime.call(value));
  }
  if (types.isNativeError(value) || value instanceof Error) return encodeError(encoder, value);
  if (types.isRegExp(value)) {
    encoder.byte(Tag.REGEXP);
    encoder.padding(REGEXP_PADDING);
    encoder.string(value.source);
    return encoder.string(value.flags);
  }
  if (types.isArrayBuffer(value)) return encodeMemory(encoder, 0, new Uint8Array(value));
  if (types.isBoxedPrimitive(value)) {
    if (types.isSymbolObject(value)) throw refused;
    encoder.byte(Tag.BOXED);
    return encoder.value((value as { valueOf(): unknown }).valueOf());
  }
  if (types.isSharedArrayBuffer(value) || refusal(value) !== undefined) throw refused;
  encoder.byte(Tag.OBJECT);
  encoder.properties(value);
}

function encodeBuffer(encoder: Encoder, value: Uint8Array): void {
  encoder.byte(Tag.BUFFER);
  encoder.uint32(value.length);
  encoder.bytes(value);
}

function encodeView(encoder: Encoder, value: ArrayBufferView, refused: unknown): void {
  const type = viewType(value);
  if (type < 0) throw refused;
  encodeMemory(encoder, type, new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
}

function encodeMemory(encoder: Encoder, type: number, memory: Uint8Array): void {
  encoder.byte(Tag.VIEW);
  encoder.byte(type);
  encoder.uint32(memory.length);
  encoder.padding(VIEW_PADDING);
  encoder.bytes(memory);
}

function encodeMap(encoder: Encoder, map: ReadonlyMap<unknown, unknown>, refused: unknown): void {
  // A copy: a getter in it may change the map.
  const entries = [...map];
  if (collides(map)) throw refused;
  encoder.byte(Tag.MAP);
  encoder.uint32(entries.length);
  for (const [key, item] of entries) {
    encoder.value(key);
    encoder.value(item);
  }
}

function encodeSet(encoder: Encoder, set: ReadonlySet<unknown>, refused: unknown): void {
  const items = [...set];
  if (collides(set)) throw refused;
  encoder.byte(Tag.SET);
  encoder.uint32(items.length);
  for (const item of items) encoder.value(item);
}
