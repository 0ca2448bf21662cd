import { expect } from 'chai';
import { NotCloneableError, ProtocolError } from '../../../src/errors.js';
import { decodeValue, encodeValue } from '../../../src/wire/codec/codec.js';
import { Tag } from '../../../src/wire/codec/tags.js';

const MASK = (1n << 64n) - 1n;

/** Undoes `x ^= x >> shift`. */
function unshift(hash: bigint, shift: bigint): bigint {
  let key = hash;
  for (let i = 0; i < 7; i++) key = hash ^ (key >> shift);
  return key & MASK;
}

/** Undoes a multiplication by an odd factor. */
function divide(hash: bigint, factor: bigint): bigint {
  let inverse = 1n;
  for (let i = 0; i < 7; i++) inverse = (inverse * (2n - factor * inverse)) & MASK;
  return (hash * inverse) & MASK;
}

/** Doubles for which V8 computes one and the same hash. */
function collidingDoubles(count: number): number[] {
  const bits = new BigUint64Array(1);
  const double = new Float64Array(bits.buffer);
  const keys: number[] = [];
  for (let high = 1n; keys.length < count; high++) {
    const hash = unshift(divide(unshift(divide(unshift((high << 30n) | 12345n, 22n), 65n), 11n), 21n), 31n);
    bits[0] = divide(hash + 1n, (1n << 18n) - 1n);
    if (!Number.isNaN(double[0]!) && !Number.isInteger(double[0])) keys.push(double[0]!);
  }
  return keys;
}

function collection(tag: number, items: readonly unknown[], each: number): Uint8Array {
  const head = Buffer.alloc(5);
  head[0] = tag;
  head.writeUInt32LE(items.length / each, 1);
  return Buffer.concat([head, ...items.map(item => encodeValue(item))]);
}

describe('keys that are made to collide', () => {
  const keys = collidingDoubles(20_000);

  it('are refused by the receiving side before they cost quadratic time', () => {
    expect(() => decodeValue(collection(Tag.SET, keys, 1))).to.throw(ProtocolError, 'made to collide');
    expect(() =>
      decodeValue(
        collection(
          Tag.MAP,
          keys.flatMap(key => [key, 0]),
          2,
        ),
      ),
    ).to.throw(ProtocolError, 'made to collide');
  });

  it('are refused when they are integers, too', () => {
    const hash = (key: number): number => {
      let hashed = (~key + (key << 15)) | 0;
      hashed ^= hashed >>> 12;
      hashed = (hashed + (hashed << 2)) | 0;
      hashed ^= hashed >>> 4;
      hashed = Math.imul(hashed, 2057);
      return hashed ^ (hashed >>> 16);
    };
    const integers: number[] = [];
    for (let key = 0; integers.length < 200; key++) if ((hash(key) & 0xfff) === 77) integers.push(key);
    expect(() => decodeValue(collection(Tag.SET, integers, 1))).to.throw(ProtocolError, 'made to collide');
  });

  it('are refused by the sending side, as a value that cannot be copied', () => {
    const set = new Set(keys.slice(0, 500));
    expect(() => encodeValue({ set })).to.throw(NotCloneableError, 'input.set is a collection whose keys collide');
    const wide = new Map(Array.from({ length: 500 }, (_, index) => [BigInt(index) << 64n, 0]));
    expect(() => encodeValue([wide])).to.throw(NotCloneableError, 'input[0]');
  });

  it('do no harm in small numbers', () => {
    const set = new Set(keys.slice(0, 100));
    expect(decodeValue(encodeValue(set))).to.deep.equal(set);
  });

  it('are never suspected of honest numbers', () => {
    const series: ((index: number) => unknown)[] = [
      index => index,
      index => -index,
      index => index * 1024,
      index => index + 0.5,
      index => index * 1e-9,
      index => 1_700_000_000_000 + index,
      index => 1_700_000_000_000 + index * 1000,
      index => index * 2 ** 40,
      index => BigInt(index),
      index => BigInt(index) << 32n,
      index => `${index}`,
    ];
    for (const at of series) {
      for (const count of [129, 1000, 20_000]) {
        const set = new Set(Array.from({ length: count }, (_, index) => at(index)));
        expect((decodeValue(encodeValue(set)) as Set<unknown>).size).to.equal(set.size);
      }
    }
  });
});
