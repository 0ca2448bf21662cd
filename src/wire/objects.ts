import { types } from 'node:util';
import { refusal } from './cloneable.js';
import type { Encoder } from './encoder.js';
import { encodeError } from './error-encoding.js';
import { REGEXP_PADDING, Tag, VIEW_PADDING, VIEW_TYPES } from './tags.js';

/** Objects that are neither arrays nor plain. Throws `refused` for what cannot be copied. */
export function encodeObject(encoder: Encoder, value: object, refused: unknown): void {
  if (ArrayBuffer.isView(value)) return Buffer.isBuffer(value) ? encodeBuffer(encoder, value) : encodeView(encoder, value);
  if (types.isMap(value)) return encodeMap(encoder, value);
  if (types.isSet(value)) return encodeSet(encoder, value);
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

function encodeView(encoder: Encoder, value: ArrayBufferView): void {
  const tag = types.isUint8Array(value) ? 2 : VIEW_TYPES.findIndex((type, index) => index > 0 && value instanceof type);
  // From another context: its own constructors, told apart by name.
  const type = tag > 0 ? tag : VIEW_TYPES.findIndex(({ name }) => name === Object.prototype.toString.call(value).slice(8, -1));
  encodeMemory(encoder, type, new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
}

function encodeMemory(encoder: Encoder, type: number, memory: Uint8Array): void {
  encoder.byte(Tag.VIEW);
  encoder.byte(type);
  encoder.uint32(memory.length);
  encoder.padding(VIEW_PADDING);
  encoder.bytes(memory);
}

function encodeMap(encoder: Encoder, map: ReadonlyMap<unknown, unknown>): void {
  // A copy: a getter in it may change the map.
  const entries = [...map];
  encoder.byte(Tag.MAP);
  encoder.uint32(entries.length);
  for (const [key, item] of entries) {
    encoder.value(key);
    encoder.value(item);
  }
}

function encodeSet(encoder: Encoder, set: ReadonlySet<unknown>): void {
  const items = [...set];
  encoder.byte(Tag.SET);
  encoder.uint32(items.length);
  for (const item of items) encoder.value(item);
}
