/**
 * V8 hashes numbers and BigInts without a seed, so that anybody can compute as many keys as he likes that fall into one bucket of a Map:
 * 200 KB of them take 0.4 s to insert, 16 MB the better part of an hour. (Strings are seeded.) So the keys of a large Map or Set from
 * another process are counted by the same hash first. Should a V8 hash otherwise one day, this rejects nothing honest and protects less.
 */
const HARMLESS = 128;
/** Honest keys, two to a bucket on average, never come near it. */
const MOST_IN_A_BUCKET = 64;
const DOUBLE = new Float64Array(1);
const HALVES = new Uint32Array(DOUBLE.buffer);
const BIGINT = new BigUint64Array(DOUBLE.buffer);

/** Counts the keys of one Map or Set. */
export class KeyGuard {
  readonly #buckets: Uint8Array;

  private constructor(size: number) {
    this.#buckets = new Uint8Array(2 ** Math.ceil(Math.log2(size / 2)));
  }

  /** Undefined for so few keys that it does not matter where they fall. */
  static for(size: number): KeyGuard | undefined {
    return size > HARMLESS ? new KeyGuard(size) : undefined;
  }

  /** False: one key too many that falls where others are. */
  admit(key: unknown): boolean {
    if (typeof key === 'number') {
      if ((key | 0) === key) return this.#count(hashInt(key));
      DOUBLE[0] = key;
    } else if (typeof key === 'bigint') BIGINT[0] = BigInt.asUintN(64, key < 0n ? -key : key);
    else return true;
    return this.#count(hashHalves(HALVES[0]!, HALVES[1]!));
  }

  #count(hash: number): boolean {
    const buckets = this.#buckets;
    return ++buckets[hash & (buckets.length - 1)]! <= MOST_IN_A_BUCKET;
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
