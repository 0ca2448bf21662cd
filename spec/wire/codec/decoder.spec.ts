import { expect } from 'chai';
import * as fc from 'fast-check';
import { deepStrictEqual } from 'node:assert';
import { inspect } from 'node:util';
import { ProtocolError } from '../../../src/errors.js';
import { decodeFromPeer, decodeValue, encodeForPeer, encodeValue } from '../../../src/wire/codec/codec.js';
import { ValueDecoder } from '../../../src/wire/codec/decoder.js';
import { Tag } from '../../../src/wire/codec/tags.js';

/** No dates: `deepStrictEqual` takes two invalid ones for different. */
const anything = fc.anything({
  maxDepth: 4,
  withBigInt: true,
  withBoxedValues: true,
  withMap: true,
  withSet: true,
  withObjectString: true,
  withSparseArray: true,
  withTypedArray: true,
  withUnicodeString: true,
} as fc.ObjectConstraints);

function u32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

/** Decodes hostile bytes: a value or a ProtocolError, with little computing. */
function attack(bytes: Uint8Array): unknown {
  const begun = process.cpuUsage();
  try {
    return decodeValue(bytes);
  } catch (error) {
    expect(error).to.be.instanceOf(ProtocolError);
    return error;
  } finally {
    const { user, system } = process.cpuUsage(begun);
    // Fifty times what the slowest kind takes, in milliseconds of processor time.
    expect((user + system) / 1000).to.be.lessThan(500 + bytes.length / 100);
  }
}

describe('the decoder', () => {
  it('returns what structuredClone returns, for anything', () => {
    fc.assert(
      fc.property(anything, value => {
        // Two invalid dates are not equal in the eyes of deepStrictEqual.
        fc.pre(!inspect(value, { depth: Infinity }).includes('Invalid Date'));
        deepStrictEqual(decodeValue(encodeValue(value)), structuredClone(value));
      }),
      { numRuns: 1000 },
    );
  });

  it('returns the same whether or not it has met such objects before', () => {
    const value = { id: 1, name: 'n', nested: { id: 2, 'odd key': [{ id: 3, 5: 'index', name: 'x' }] }, empty: {} };
    for (let i = 0; i < 100; i++) {
      expect(decodeValue(encodeValue([value, { ...value, extra: i }, { name: 'n', id: i }]))).to.deep.equal([
        value,
        { ...value, extra: i },
        { name: 'n', id: i },
      ]);
    }
  });

  it('stays right when there are more shapes than it remembers', () => {
    for (let i = 0; i < 3000; i++) {
      const value = { [`key${i}`]: i, [`k${i % 50}`]: { [`other${i}`]: [i] }, same: 1 };
      for (let times = 0; times < 2; times++) expect(decodeValue(encodeValue(value))).to.deep.equal(value);
    }
  });

  it('keeps nothing of a message in the memory that the next one is read into', () => {
    const memory = Buffer.alloc(1024);
    const decoder = new ValueDecoder();
    const read = (value: object): unknown => {
      const encoded = encodeValue(value);
      memory.set(encoded);
      return decoder.decode(memory, 0, encoded.length, false);
    };
    const kept = read({ north: [1, 'text'], bytes: Buffer.from('own'), list: new Uint16Array([7]) });
    for (const value of [{ south: 1 }, { place: { eastern: 2 } }, { plain: { western: 3 } }, { south: 4 }])
      expect(read(value)).to.deep.equal(value);
    expect(kept).to.deep.equal({ north: [1, 'text'], bytes: Buffer.from('own'), list: new Uint16Array([7]) });
  });

  it('answers random bytes with a value or a ProtocolError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 200 }), bytes => {
        attack(bytes);
      }),
      { numRuns: 5000 },
    );
  });

  it('answers bytes made of its own tags with a value or a ProtocolError', () => {
    const tag = fc.constantFrom(...Object.values(Tag));
    const byte = fc.oneof({ weight: 3, arbitrary: tag }, fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 0xff));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 100 }), bytes => {
        attack(Uint8Array.from(bytes));
      }),
      { numRuns: 10_000 },
    );
  });

  it('answers changed bytes of valid values with a value or a ProtocolError', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    const errors = fc.string().map(message => Object.assign(new TypeError(message, { cause: /x+/g }), { code: 'E' }));
    fc.assert(
      fc.property(fc.oneof(anything, errors), fc.array(change, { minLength: 1, maxLength: 4 }), (value, changes) => {
        const bytes = Buffer.from(encodeValue(value));
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        attack(bytes);
      }),
      { numRuns: 5000 },
    );
  });

  it('refuses every valid value that is cut off or has bytes behind it', () => {
    const shared = { s: 1 };
    const value = [
      1,
      'text',
      'ü€'.repeat(50),
      { a: shared, b: shared },
      new Map([[1, 2n ** 70n]]),
      new Date(),
      new Error('e'),
      new Float64Array(3),
      new Array(1),
    ];
    const bytes = encodeValue(value);
    for (let length = 0; length < bytes.length; length++) expect(() => decodeValue(bytes.subarray(0, length))).to.throw(ProtocolError);
    expect(() => decodeValue(Buffer.concat([bytes, Buffer.of(0)]))).to.throw(ProtocolError, 'bytes behind the value');
  });

  it('never looks beyond its bytes into those that lie behind them', () => {
    const memory = Buffer.from(encodeValue({ key: 'a secret that lies behind' }));
    for (let length = 0; length < memory.length; length++) expect(() => decodeValue(memory.subarray(0, length))).to.throw(ProtocolError);
  });

  describe('takes no declared size for granted', () => {
    const huge = u32(0xffff_ffff);
    const bombs: Record<string, number[]> = {
      'an array': [Tag.ARRAY32, ...huge],
      'a sparse array': [Tag.SPARSE32, ...huge],
      'a small sparse array': [Tag.SPARSE + 15],
      'a Map': [Tag.MAP, ...huge],
      'a Set': [Tag.SET, ...huge],
      'a Buffer': [Tag.BUFFER, ...huge],
      'a typed array': [Tag.VIEW, 2, ...huge, ...new Array<number>(10).fill(0)],
      'a BigInt': [Tag.BIGINT, 0, ...huge],
      'a string': [Tag.STRING32, ...huge],
      'UTF-8': [Tag.UTF8, ...huge],
      'UTF-16': [Tag.UTF16, ...huge],
      'a reference': [Tag.SHARED, Tag.REF, ...huge],
    };
    for (const [name, bomb] of Object.entries(bombs)) {
      it(`of ${name}`, () => expect(attack(Uint8Array.from(bomb))).to.be.instanceOf(ProtocolError));
    }

    it('of arrays inside arrays, which promise more elements together than there are bytes', () => {
      const level = [Tag.SPARSE32, ...u32(90_000), Tag.HOLE];
      const bytes = new Uint8Array(100_000);
      for (let i = 0; i < 90; i++) bytes.set(level, i * level.length);
      expect(attack(bytes)).to.be.instanceOf(ProtocolError).with.property('message').that.contains('more elements than bytes');
    });
  });

  it('lets nothing nest deeper than 100 levels', () => {
    for (const level of [
      [Tag.ARRAY + 1],
      [Tag.ARRAY32, ...u32(1)],
      [Tag.SPARSE + 1],
      [Tag.OBJECT, Tag.STRING + 1, 97],
      [Tag.SET, ...u32(1)],
    ]) {
      const bytes = Uint8Array.from(new Array<number[]>(10_000).fill(level).flat());
      expect(attack(bytes)).to.be.instanceOf(ProtocolError).with.property('message').that.contains('nested deeper than 100 levels');
    }
    expect(attack(new Uint8Array(10_000).fill(Tag.BOXED))).to.be.instanceOf(ProtocolError);
  });

  it('lays out no memory for indices that are far apart', () => {
    const sparse = encodeValue({ 1000: 0 });
    const bytes = Buffer.concat([Buffer.from([Tag.ARRAY32, ...u32(20_000)]), ...new Array<Uint8Array>(20_000).fill(sparse)]);
    const before = process.memoryUsage().heapUsed;
    const value = decodeValue(bytes) as unknown[];
    // As plain arrays of elements they would take 240 MB.
    expect(process.memoryUsage().heapUsed - before).to.be.lessThan(60 * 1024 * 1024);
    expect(value[19_999]).to.deep.equal({ 1000: 0 });
    expect(decodeValue(encodeValue({ 7: 1, 900: 2, 4294967294: 3, 4294967295: 4, '01': 5 }))).to.deep.equal({
      7: 1,
      900: 2,
      4294967294: 3,
      4294967295: 4,
      '01': 5,
    });
  });

  it('refuses references outside of values that announce them, and to what has not begun', () => {
    expect(attack(Uint8Array.from([Tag.ARRAY + 1, Tag.REF, ...u32(0)]))).to.be.instanceOf(ProtocolError);
    expect(attack(Uint8Array.from([Tag.SHARED, Tag.ARRAY + 1, Tag.REF, ...u32(1)]))).to.be.instanceOf(ProtocolError);
    expect(attack(Uint8Array.from([Tag.ARRAY + 1, Tag.SHARED, 0]))).to.be.instanceOf(ProtocolError);
  });

  it('refuses expressions that do not compile, dates out of range stay invalid', () => {
    const bytes = Buffer.from(encodeValue(/abc/g));
    bytes.write('(bc', bytes.indexOf('abc'));
    expect(attack(bytes)).to.be.instanceOf(ProtocolError);
    expect((decodeValue(Buffer.concat([Buffer.of(Tag.DATE), Buffer.from(new Float64Array([1e300]).buffer)])) as Date).getTime()).to.be.NaN;
  });

  it('is linear for the kinds that cost most', () => {
    for (const item of [
      {},
      [],
      new Map(),
      new Set(),
      Buffer.alloc(0),
      new Float64Array(0),
      /x/,
      Object.assign(new Error(''), { stack: '' }),
      { 0: 0 },
      Object(1),
    ]) {
      const element = encodeValue(item);
      const count = Math.floor(500_000 / element.length);
      attack(Buffer.concat([Buffer.from([Tag.ARRAY32, ...u32(count)]), ...new Array<Uint8Array>(count).fill(element)]));
    }
  });
});

describe('a value of a peer', () => {
  const parts: [what: string, value: unknown, count: number][] = [
    ['a list', [1, 2, 3], 1],
    ['a list of lists', [[], []], 3],
    ['an object, its keys counted', { a: 1, b: 2 }, 3],
    ['a Map, its entries counted', new Map([[1, 2]]), 2],
    ['a Set, its entries counted', new Set([1, 2]), 3],
  ];
  for (const [what, value, count] of parts)
    it(`has as many parts as are allowed, and none more: ${what}`, () => {
      const bytes = (): Buffer => Buffer.from(encodeForPeer(value, 'value'));
      expect(decodeFromPeer(bytes(), count)).to.deep.equal(value);
      expect(() => decodeFromPeer(bytes(), count - 1)).to.throw(ProtocolError, `more than ${count - 1} objects, keys and entries`);
    });
});
