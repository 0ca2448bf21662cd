import { ProtocolError } from '../../errors.js';

/** Objects and entries of collections that every value of another process may have: 0.2 s of the receiver's event loop. Numbers, strings and names that come again do not count. */
const PARTS = 1_048_576;
/** A larger value has been allowed by `maxMessageSize`, and may have one for so many of its bytes. */
const BYTES_A_PART = 16;
/** Names of properties that were not read shortly before: V8 keeps one of each, which takes several times as long as an object. */
export const MOST_NEW_NAMES = 262_144;

/** How many objects, and entries of collections, a value of so many bytes may have. */
export function mostPartsOf(bytes: number): number {
  return Math.max(PARTS, Math.floor(bytes / BYTES_A_PART));
}

/** A value that is as it must be, and would hold the event loop for too long. */
export class TooManyPartsError extends ProtocolError {
  readonly most: number;
  readonly what: string;

  constructor(most: number, what: string) {
    super(`a value of more than ${most} ${what}`);
    this.most = most;
    this.what = what;
  }
}

/**
 * V8 hashes numbers and BigInts without a seed, so that anybody can compute as many keys as he likes that fall into one bucket of a Map:
 * 200 KB of them take 0.4 s to insert, 16 MB the better part of an hour. (Strings are seeded, up to a length.) So the keys of a large Map or Set from
 * another process are counted by the same hash first. Should a V8 hash otherwise one day, this rejects nothing honest and protects less.
 */
const HARMLESS = 128;
/** Honest keys, two to a bucket on average, never come near it. */
const MOST_IN_A_BUCKET = 64;
/** V8 hashes strings up to so many code units; the hash of a longer one is its length. */
const LONGEST_HASHED = 16_383;
/** Keys of one length above that: each is compared with all before it, to its end. */
const MOST_OF_A_LENGTH = 16;
const DOUBLE = new Float64Array(1);
const HALVES = new Uint32Array(DOUBLE.buffer);
const BIGINT = new BigUint64Array(DOUBLE.buffer);

/** Counts the keys of one Map or Set. */
export class KeyGuard {
  /** Undefined for so few keys that it does not matter where they fall. */
  readonly #buckets: Uint8Array | undefined;
  #long: LongKeys | undefined;

  constructor(size: number) {
    this.#buckets = size > HARMLESS ? new Uint8Array(2 ** Math.ceil(Math.log2(size / 2))) : undefined;
  }

  /** False: one key too many that falls where others are. */
  admit(key: unknown): boolean {
    if (isLongKey(key)) return (this.#long ??= new LongKeys()).admit(key);
    if (this.#buckets === undefined) return true;
    if (typeof key === 'number') {
      if ((key | 0) === key) return this.#count(hashInt(key));
      DOUBLE[0] = key;
    } else if (typeof key === 'bigint') BIGINT[0] = BigInt.asUintN(64, key < 0n ? -key : key);
    else return true;
    return this.#count(hashHalves(HALVES[0]!, HALVES[1]!));
  }

  #count(hash: number): boolean {
    const buckets = this.#buckets!;
    return ++buckets[hash & (buckets.length - 1)]! <= MOST_IN_A_BUCKET;
  }
}

/** True for a string that V8 does not hash: {@link LongKeys} counts it. */
export function isLongKey(key: unknown): key is string {
  return typeof key === 'string' && key.length > LONGEST_HASHED;
}

/** Counts the long keys of one Map or Set, or the long property names of one value. */
export class LongKeys {
  readonly #counts = new Map<number, number>();

  /** False: one key too many of its length. */
  admit(key: string): boolean {
    const count = (this.#counts.get(key.length) ?? 0) + 1;
    this.#counts.set(key.length, count);
    return count <= MOST_OF_A_LENGTH;
  }
}

/** v8::internal::ComputeUnseededHash. */
function hashInt(key: number): number {
  let hash = (~key + (key << 15)) | 0;
  hash ^= hash >>> 12;
  hash = (hash + (hash << 2)) | 0;
  hash ^= hash >>> 4;
  hash = Math.imul(hash, 2057);
  return hash ^ (hash >>> 16);
}

/** v8::internal::ComputeLongHash: 64-bit arithmetic in halves. The lower half of the result. */
function hashHalves(low: number, high: number): number {
  // ~key + (key << 18)
  let l = (~low >>> 0) + ((low << 18) >>> 0);
  let h = (~high >>> 0) + (((high << 18) | (low >>> 14)) >>> 0) + (l > 0xffff_ffff ? 1 : 0);
  l >>>= 0;
  h >>>= 0;
  // ^ >> 31
  l = (l ^ ((h << 1) | (l >>> 31))) >>> 0;
  h = (h ^ (h >>> 31)) >>> 0;
  // * 21
  const carry = Math.floor((l * 21) / 0x1_0000_0000);
  l = Math.imul(l, 21) >>> 0;
  h = (Math.imul(h, 21) + carry) >>> 0;
  // ^ >> 11
  l = (l ^ ((h << 21) | (l >>> 11))) >>> 0;
  h = (h ^ (h >>> 11)) >>> 0;
  // + << 6
  const sum = l + ((l << 6) >>> 0);
  h = (h + (((h << 6) | (l >>> 26)) >>> 0) + (sum > 0xffff_ffff ? 1 : 0)) >>> 0;
  l = sum >>> 0;
  // ^ >> 22
  return l ^ ((h << 10) | (l >>> 22));
}
