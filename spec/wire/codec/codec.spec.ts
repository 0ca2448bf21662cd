import { expect } from 'chai';
import { runInNewContext } from 'node:vm';
import { MessageTooLargeError, NotCloneableError } from '../../../src/errors.js';
import { decodeValue, encodeValue, reuseEncoded } from '../../../src/wire/codec/codec.js';

const copy = <T>(value: T): T => decodeValue(encodeValue(value)) as T;

describe('the codec', () => {
  describe('primitives', () => {
    for (const value of [undefined, null, true, false, '', 'a', 'text']) {
      it(`returns ${JSON.stringify(value)} as it was`, () => expect(copy(value)).to.equal(value));
    }

    it('returns every kind of number exactly, at the edges of every width', () => {
      const edges = [
        0,
        1,
        63,
        64,
        127,
        128,
        255,
        256,
        0x7fff,
        0x8000,
        0xffff,
        0x10000,
        2 ** 31 - 1,
        2 ** 31,
        2 ** 32 - 1,
        2 ** 32,
        2 ** 53,
        2 ** 53 + 2,
      ];
      const others = [0.1, -0.1, NaN, Infinity, -Infinity, Number.MIN_VALUE, Number.MAX_VALUE, Number.EPSILON, 1e300];
      for (const value of [...edges, ...edges.map(edge => -edge), ...edges.map(edge => edge + 0.5), ...others]) {
        expect(Object.is(copy(value), value), String(value)).to.equal(true);
      }
    });

    it('keeps the sign of zero', () => expect(Object.is(copy(-0), -0)).to.equal(true));

    it('returns integers of any length', () => {
      for (const value of [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, -(2n ** 63n) - 1n, 2n ** 64n, 3n ** 500n, -(3n ** 501n)]) {
        expect(copy(value)).to.equal(value);
      }
    });

    it('returns strings of every width and length, lone surrogates included', () => {
      for (const unit of ['a', 'ü', '€', '日', '😀', '\ud800', '\udc00', '\0', '\u{10ffff}']) {
        for (const length of [1, 2, 15, 16, 31, 32, 63, 127, 128, 255, 256, 300, 5000]) {
          for (const text of [unit.repeat(length), `${'x'.repeat(length)}${unit}`, `${unit}${'y'.repeat(length)}`]) {
            expect(copy(text)).to.equal(text);
            expect(copy({ [text]: text })).to.deep.equal({ [text]: text });
          }
        }
      }
    });
  });

  describe('containers', () => {
    it('returns plain objects with their keys in order, undefined values included', () => {
      const value = { b: 1, a: undefined, 10: 'ten', 2: 'two', '': null, 'a b': { c: {} } };
      expect(copy(value)).to.deep.equal(value);
      expect(Object.keys(copy(value))).to.deep.equal(Object.keys(value));
    });

    it('takes a key named __proto__ for a property, never for the prototype', () => {
      const value = JSON.parse('{"__proto__": {"evil": true}, "constructor": 1, "toString": 2}') as Record<string, unknown>;
      const received = copy(value);
      expect(Object.getPrototypeOf(received)).to.equal(Object.prototype);
      expect(Object.hasOwn(received, '__proto__')).to.equal(true);
      expect(received['evil']).to.equal(undefined);
      expect(received['toString']).to.equal(2);
    });

    it('leaves out what is inherited, not enumerable, or named by a symbol', () => {
      const value = Object.create({ inherited: 1 }) as Record<PropertyKey, unknown>;
      value['own'] = 2;
      value[Symbol('s')] = 3;
      Object.defineProperty(value, 'hidden', { value: 4 });
      expect(copy(value)).to.deep.equal({ own: 2 });
    });

    it('returns arrays of every length, and their holes', () => {
      for (const length of [0, 1, 2, 3, 8, 9, 15, 16, 17, 100, 1000]) {
        const value = Array.from({ length }, (_, index) => (index % 3 === 0 ? index : { index }));
        expect(copy(value)).to.deep.equal(value);
      }
      // eslint-disable-next-line no-sparse-arrays
      for (const value of [[1, , 3], [,], [, ,], [undefined, , undefined]]) {
        const received = copy(value);
        expect(received.length).to.equal(value.length);
        expect(Object.keys(received)).to.deep.equal(Object.keys(value));
      }
    });

    it('returns maps and sets, in order, with keys of any kind', () => {
      const map = copy(
        new Map<unknown, unknown>([
          ['z', 1],
          ['a', new Map([[1, 2]])],
          [NaN, undefined],
          [{ k: 1 }, [2]],
        ]),
      );
      expect([...map.keys()].slice(0, 3)).to.deep.equal(['z', 'a', NaN]);
      expect(map.get('a')).to.deep.equal(new Map([[1, 2]]));
      expect(copy(new Set(['b', 'a', 1, null]))).to.deep.equal(new Set(['b', 'a', 1, null]));
    });

    it('returns dates, invalid ones too', () => {
      expect(copy(new Date(1700000000123)).getTime()).to.equal(1700000000123);
      expect(copy(new Date(NaN)).getTime()).to.be.NaN;
    });

    it('returns regular expressions', () => {
      const received = copy(/a\/(?<n>b)[^\n]€/giu);
      expect(received).to.be.instanceOf(RegExp);
      expect(String(received)).to.equal('/a\\/(?<n>b)[^\\n]€/giu');
    });

    it('returns boxed primitives as boxes', () => {
      const [number, string, boolean, bigint] = copy([Object(1), Object('s'), Object(false), Object(1n)] as object[]);
      expect([number, string, boolean, bigint].every(box => typeof box === 'object')).to.equal(true);
      expect([number, string, boolean, bigint].map(box => box?.valueOf())).to.deep.equal([1, 's', false, 1n]);
    });

    it('copies instances of classes as structuredClone does: own properties, plain', () => {
      class Point {
        readonly x = 1;
        get y(): number {
          return 2;
        }
      }
      const received = copy(new Point());
      expect(received).to.deep.equal({ x: 1 });
      expect(Object.getPrototypeOf(received)).to.equal(Object.prototype);
    });

    it('reads values of another context: what `vm` returns', () => {
      const value: unknown = runInNewContext(
        '({ list: [1], map: new Map([[1, new Date(5)]]), view: new Float32Array([1.5]), error: new TypeError("t") })',
      );
      const received = copy(value) as { list: number[]; map: Map<number, Date>; view: Float32Array; error: Error };
      expect(received.list).to.deep.equal([1]);
      expect(received.map.get(1)).to.deep.equal(new Date(5));
      expect(received.view).to.deep.equal(new Float32Array([1.5]));
      expect(received.error).to.be.instanceOf(TypeError);
    });
  });

  describe('memory', () => {
    it('returns a Buffer as a Buffer with memory of its own', () => {
      const original = Buffer.from('some bytes');
      const encoded = encodeValue({ original });
      original.fill(0);
      const { original: received } = decodeValue(encoded) as { original: Buffer };
      expect(Buffer.isBuffer(received)).to.equal(true);
      encoded.fill(0);
      expect(received.toString()).to.equal('some bytes');
    });

    it('returns every typed array, DataView and ArrayBuffer, respecting offset and length', () => {
      const memory = new Uint8Array([...Array(64).keys()]).buffer;
      const types = [
        Uint8Array,
        Uint8ClampedArray,
        Int8Array,
        Uint16Array,
        Int16Array,
        Uint32Array,
        Int32Array,
        Float32Array,
        Float64Array,
        BigInt64Array,
        BigUint64Array,
      ];
      for (const type of types) {
        const value = new type(memory, 8, 2);
        const received = copy(value);
        expect(received).to.be.instanceOf(type);
        expect(received).to.deep.equal(value);
        expect(received.buffer.byteLength).to.equal(value.byteLength);
      }
      const view = copy(new DataView(memory, 3, 5));
      expect([view.byteLength, view.byteOffset, view.getUint8(0)]).to.deep.equal([5, 0, 3]);
      expect(copy(memory)).to.deep.equal(memory);
      expect(copy(new ArrayBuffer(0)).byteLength).to.equal(0);
    });
  });

  describe('identity', () => {
    it('keeps cycles', () => {
      const value: { self?: unknown; list: unknown[]; map: Map<unknown, unknown> } = { list: [], map: new Map() };
      value.self = value;
      value.list.push(value.list, value);
      value.map.set(value.map, value);
      const received = copy(value);
      expect(received.self).to.equal(received);
      expect(received.list[0]).to.equal(received.list);
      expect(received.list[1]).to.equal(received);
      expect(received.map.get(received.map)).to.equal(received);
    });

    it('keeps an object that appears twice one object, however many there are', () => {
      for (const count of [2, 20, 30, 1000]) {
        const objects = Array.from({ length: count }, (_, index) => ({ index }));
        const received = copy([...objects, ...objects, new Date(0)]) as { index: number }[];
        for (let i = 0; i < count; i++) {
          expect(received[i]).to.deep.equal({ index: i });
          expect(received[count + i]).to.equal(received[i]);
        }
      }
    });

    it('keeps shared dates, buffers, errors, expressions and boxes one object', () => {
      for (const shared of [
        new Date(0),
        Buffer.from('a'),
        new Error('e'),
        /x/,
        Object(1) as object,
        new Float32Array(1),
        new Set(),
        new ArrayBuffer(2),
      ]) {
        const received = copy({ before: {}, shared, again: [shared], after: {} });
        expect(received.again[0]).to.equal(received.shared);
      }
    });

    it('never shares between two values', () => {
      const value = { inner: {} };
      expect(copy(value).inner).not.to.equal(copy(value).inner);
    });

    it('sees no change made after encoding', () => {
      const value = { list: [1] };
      const encoded = encodeValue(value);
      value.list.push(2);
      expect(decodeValue(encoded)).to.deep.equal({ list: [1] });
    });

    it('lets encodings of every size lie side by side: none is written over by the ones that follow, refused or nested', () => {
      const values = Array.from({ length: 600 }, (_, i) => ({ i, text: `${i}`.repeat([3, 40, 900, 6000, 30_000][i % 5]!) }));
      const encodings = values.map(value => {
        expect(() => encodeValue({ ...value, refused: () => {} })).to.throw(NotCloneableError);
        const nested = encodeValue({
          get inner() {
            return { bytes: encodeValue(value) };
          },
        });
        return [encodeValue(value), nested] as const;
      });
      for (const [i, [encoded, nested]] of encodings.entries()) {
        expect(decodeValue(encoded)).to.deep.equal(values[i]);
        const { inner } = decodeValue(nested) as { inner: { bytes: Uint8Array } };
        expect(decodeValue(inner.bytes)).to.deep.equal(values[i]);
      }
    });
  });

  describe('memory of large values that were sent', () => {
    const large = (fill: number, length = 2 * 1024 * 1024): Buffer => Buffer.alloc(length, fill);

    it('serves again, and only once', () => {
      const [first, second] = [encodeValue(large(1)), encodeValue(large(2))];
      reuseEncoded(first);
      const [third, fourth] = [encodeValue({ in: [large(3)] }), encodeValue(large(4))];
      expect(third.buffer).to.equal(first.buffer);
      expect(fourth.buffer).not.to.equal(first.buffer);
      expect(decodeValue(second)).to.deep.equal(large(2));
      expect(decodeValue(third)).to.deep.equal({ in: [large(3)] });
      expect(decodeValue(fourth)).to.deep.equal(large(4));
    });

    it('is not that of a value which it does not fit', () => {
      const small = encodeValue(large(1));
      reuseEncoded(small);
      const larger = encodeValue(large(2, 3 * 1024 * 1024));
      reuseEncoded(larger);
      const smaller = encodeValue(large(3, 1024 * 1024 + 1));
      expect(decodeValue(larger)).to.deep.equal(large(2, 3 * 1024 * 1024));
      expect(decodeValue(smaller)).to.deep.equal(large(3, 1024 * 1024 + 1));
      expect(smaller.buffer).not.to.equal(larger.buffer);
    });
  });

  describe('limits', () => {
    it('takes a value of exactly the limit and refuses one byte more', () => {
      for (const value of [
        'x'.repeat(300),
        Buffer.alloc(1000),
        [1, 2, 3],
        { a: 1, b: 'text', list: [1, 2, 3] },
        [1000, -5, 0.5, 3e9],
        7,
        new Map([[1, 2]]),
        2n ** 70n,
      ]) {
        const { length } = encodeValue(value);
        expect(encodeValue(value, length).length).to.equal(length);
        if (length > 1)
          expect(() => encodeValue(value, length - 1)).to.throw(
            MessageTooLargeError,
            `input is larger than maxMessageSize (${length - 1} bytes)`,
          );
      }
    });

    it('refuses an array of the greatest length at once', () => {
      const array: unknown[] = [];
      array.length = 2 ** 32 - 1;
      expect(() => encodeValue(array, 1024 * 1024)).to.throw(MessageTooLargeError);
      expect(() => encodeValue(array)).to.throw(MessageTooLargeError);
    });

    it('encodes small values after one that was refused', () => {
      expect(() => encodeValue({ a: {}, b: Buffer.alloc(5_000_000) }, 4_000_000)).to.throw(MessageTooLargeError);
      expect(copy({ fine: true })).to.deep.equal({ fine: true });
    });
  });
});
