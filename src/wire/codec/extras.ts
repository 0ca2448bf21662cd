import { malformed } from '../bytes/reader.js';
import { KeyGuard } from './dear-values.js';
import type { ValueDecoder } from './decoder.js';
import { regExpPadding } from './regexps.js';
import { REGEXP_PADDING, VIEW_PADDING, VIEW_TYPES } from './tags.js';

const COLLIDING = 'keys that are made to collide';

export function decodeMap(decoder: ValueDecoder): Map<unknown, unknown> {
  const count = decoder.count(2);
  const map = decoder.created(new Map<unknown, unknown>());
  const guard = new KeyGuard(count);
  decoder.enter();
  decoder.part(count);
  for (let i = 0; i < count; i++) {
    const key = decoder.value();
    if (!guard.admit(key)) throw malformed(COLLIDING);
    map.set(key, decoder.value());
  }
  decoder.leave();
  return map;
}

export function decodeSet(decoder: ValueDecoder): Set<unknown> {
  const count = decoder.count(1);
  const set = decoder.created(new Set<unknown>());
  const guard = new KeyGuard(count);
  decoder.enter();
  decoder.part(count);
  for (let i = 0; i < count; i++) {
    const item = decoder.value();
    if (!guard.admit(item)) throw malformed(COLLIDING);
    set.add(item);
  }
  decoder.leave();
  return set;
}

export function decodeRegExp(decoder: ValueDecoder): RegExp {
  decoder.skip(REGEXP_PADDING);
  const source = decoder.string();
  const flags = decoder.string();
  const padding = decoder.regExps ? regExpPadding(source, flags) : undefined;
  if (padding === undefined) throw malformed('a regular expression that is not sent as one');
  decoder.skip(padding);
  return decoder.created(new RegExp(source, flags));
}

export function decodeBigInt(decoder: ValueDecoder): bigint {
  const negative = decoder.byte() !== 0;
  const magnitude = BigInt(`0x0${decoder.bytes(decoder.uint32()).toString('hex')}`);
  return negative ? -magnitude : magnitude;
}

/** Typed arrays, DataView, ArrayBuffer: each on memory of its own. */
export function decodeView(decoder: ValueDecoder): unknown {
  decoder.part(1);
  const type = VIEW_TYPES[decoder.byte()];
  const length = decoder.uint32();
  decoder.skip(VIEW_PADDING);
  const bytes = decoder.bytes(length);
  if (type === undefined) throw new TypeError('an unknown type of memory');
  // A copy with an ArrayBuffer of its own, which Buffer's pool would not give.
  const memory = new Uint8Array(bytes).buffer;
  return decoder.created(type === ArrayBuffer ? memory : new (type as Uint8ArrayConstructor)(memory));
}
