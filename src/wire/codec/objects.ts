import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { hasForbiddenKeys, whyNotCloneable, viewType } from './cloneable.js';
import { hasMoved } from '../../transfer.js';
import type { ValueEncoder } from './encoder.js';
import { encodeError } from './error-encoding.js';
import { regExpPadding, regExpParts } from './regexps.js';
import { REGEXP_PADDING, Tag, VIEW_PADDING } from './tags.js';

/** Objects that are neither arrays nor plain. Throws `refused` for what cannot be copied. */
export function encodeObject(encoder: ValueEncoder, value: object, refused: unknown): void {
  if (ArrayBuffer.isView(value) && types.isSharedArrayBuffer(value.buffer)) throw refused;
  if (ArrayBuffer.isView(value)) return Buffer.isBuffer(value) ? encodeBuffer(encoder, value) : encodeView(encoder, value, refused);
  if (types.isMap(value)) return encodeMap(encoder, value, refused);
  if (types.isSet(value)) return encodeSet(encoder, value, refused);
  if (types.isDate(value)) {
    encoder.byte(Tag.DATE);
    return encoder.double(Date.prototype.getTime.call(value));
  }
  if (types.isNativeError(value) || value instanceof Error) return encodeError(encoder, value);
  if (types.isRegExp(value)) return encodeRegExp(encoder, value, refused);
  if (types.isArrayBuffer(value)) return encodeMemory(encoder, 0, new Uint8Array(value));
  if (types.isBoxedPrimitive(value)) return encodeBox(encoder, value, refused);
  if (types.isSharedArrayBuffer(value) || whyNotCloneable(value) !== undefined) throw refused;
  encoder.byte(Tag.OBJECT);
  encoder.properties(value);
}

function encodeRegExp(encoder: ValueEncoder, value: RegExp, refused: unknown): void {
  const { source, flags } = regExpParts(value);
  const padding = encoder.regExps ? regExpPadding(source, flags) : undefined;
  if (padding === undefined) throw refused;
  encoder.byte(Tag.REGEXP);
  encoder.padding(REGEXP_PADDING);
  encoder.string(source);
  encoder.string(flags);
  encoder.padding(padding);
}

function encodeBox(encoder: ValueEncoder, box: object, refused: unknown): void {
  if (types.isSymbolObject(box)) throw refused;
  encoder.byte(Tag.BOXED);
  if (types.isNumberObject(box)) encoder.number(Number.prototype.valueOf.call(box));
  else if (types.isStringObject(box)) encoder.string(String.prototype.valueOf.call(box));
  else encoder.value(types.isBooleanObject(box) ? Boolean.prototype.valueOf.call(box) : BigInt.prototype.valueOf.call(box));
}

function encodeBuffer(encoder: ValueEncoder, value: Uint8Array): void {
  hasMoved(value.buffer);
  encoder.byte(Tag.BUFFER);
  encoder.uint32(value.length);
  encoder.bytes(value);
}

function encodeView(encoder: ValueEncoder, value: ArrayBufferView, refused: unknown): void {
  const type = viewType(value);
  if (type < 0) throw refused;
  encodeMemory(encoder, type, new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
}

function encodeMemory(encoder: ValueEncoder, type: number, memory: Uint8Array): void {
  hasMoved(memory.buffer);
  encoder.byte(Tag.VIEW);
  encoder.byte(type);
  encoder.uint32(memory.length);
  encoder.padding(VIEW_PADDING);
  encoder.bytes(memory);
}

function encodeMap(encoder: ValueEncoder, map: ReadonlyMap<unknown, unknown>, refused: unknown): void {
  if (hasForbiddenKeys(map)) throw refused;
  encoder.byte(Tag.MAP);
  const countAt = encoder.hole32();
  let count = 0;
  for (const [key, item] of Map.prototype.entries.call(map) as MapIterator<[unknown, unknown]>) {
    encoder.value(key);
    encoder.value(item);
    count++;
  }
  encoder.fill32(countAt, count);
}

function encodeSet(encoder: ValueEncoder, set: ReadonlySet<unknown>, refused: unknown): void {
  if (hasForbiddenKeys(set)) throw refused;
  encoder.byte(Tag.SET);
  const countAt = encoder.hole32();
  let count = 0;
  for (const item of Set.prototype.values.call(set) as SetIterator<unknown>) {
    encoder.value(item);
    count++;
  }
  encoder.fill32(countAt, count);
}
