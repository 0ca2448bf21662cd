import { expect } from 'chai';
import { NotCloneableError, ProtocolError } from '../../../src/errors.js';
import { decodeReceived, decodeValue, encodeValue } from '../../../src/wire/codec/codec.js';
import { TooManyPartsError } from '../../../src/wire/codec/dear-values.js';
import { MAX_REGEXP_SOURCE, regExpPadding } from '../../../src/wire/codec/regexps.js';
import { Tag } from '../../../src/wire/codec/tags.js';

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(Tag.STRING32), u32(value.length), Buffer.from(value, 'latin1')]);
}

/** A regular expression as somebody writes it who pads as he likes. */
function regExp(source: string, flags: string, padding = 0): Buffer {
  return Buffer.concat([Buffer.of(Tag.REGEXP), Buffer.alloc(16), text(source), text(flags), Buffer.alloc(padding)]);
}

const malformed = (bytes: Uint8Array): void => expect(() => decodeValue(bytes)).to.throw(ProtocolError) as never;

describe('a value that is dear to build', () => {
  it('is no regular expression: one that takes milliseconds for a few bytes is not made, whatever padding comes with it', () => {
    for (const [source, flags] of [
      ['\\p{RGI_Emoji}', 'v'],
      ['\\p{RGI_Emoji}'.repeat(70), 'v'],
      ['[^\\W]', 'iv'],
      ['(?i:[^\\W])', 'v'],
      ['[\\0-\\uffff]', 'vi'],
      ['x'.repeat(MAX_REGEXP_SOURCE + 1), ''],
      ['x', 'gggggggggg'],
    ] as const)
      for (const padding of [0, 100_000]) malformed(regExp(source, flags, padding));
  });

  it('is no regular expression of which property escapes are made for less than their padding', () => {
    malformed(regExp('\\p{L}', 'u'));
    malformed(regExp('[^\\P{L}\\p{N}]', 'u', 20_000));
    malformed(regExp('\\w'.repeat(400), 'iu'));
    expect(decodeValue(regExp('\\p{L}', 'u', regExpPadding('\\p{L}', 'u')))).to.deep.equal(/\p{L}/u);
  });

  it('is no name or key that V8 does not hash: of one length a few are taken, each object and collection', () => {
    const names = Array.from({ length: 20 }, (_, i) => 'x'.repeat(16_400) + String(i).padStart(3, '0'));
    const count = u32(names.length);
    const malice = [
      Buffer.concat([Buffer.of(Tag.OBJECT), ...names.map(name => Buffer.concat([text(name), Buffer.of(0)])), Buffer.of(Tag.END)]),
      Buffer.concat([
        Buffer.of(Tag.ARRAY32),
        count,
        ...names.map(name => Buffer.concat([Buffer.of(Tag.OBJECT), text(name), Buffer.of(0, Tag.END)])),
      ]),
      Buffer.concat([Buffer.of(Tag.SET), count, ...names.map(text)]),
      Buffer.concat([Buffer.of(Tag.MAP), count, ...names.map(name => Buffer.concat([text(name), Buffer.of(0)]))]),
    ];
    for (const bytes of malice) malformed(bytes);
  });

  it('is refused by the side that would send it, by its path, so that only its call fails', () => {
    const names = Array.from({ length: 20 }, (_, i) => 'x'.repeat(16_400) + String(i).padStart(3, '0'));
    const refused: readonly (readonly [value: unknown, message: string])[] = [
      [{ find: new RegExp('[\\p{L}--[a]]', 'v') }, 'input.find is a regular expression whose flag v'],
      [[new RegExp('x'.repeat(1001))], 'input[0] is a regular expression of more than 1000 characters'],
      [{ set: new Set(names) }, 'input.set is a collection whose keys collide'],
      [{ map: Object.fromEntries(names.map(name => [name, 1])) }, 'input.map is an object with too many property names'],
    ];
    for (const [value, message] of refused) expect(() => encodeValue(value)).to.throw(NotCloneableError, message);
  });

  it('leaves honest ones alone: ordinary expressions, long texts of different lengths, a few of the same', () => {
    const long = Array.from({ length: 50 }, (_, i) => 'y'.repeat(20_000 + i));
    for (const value of [
      /^[\w.+-]+@[\w-]+\.[\w.-]+$/i,
      /[\p{Lu}\p{Lt}]\p{L}*/gu,
      /\b(?<year>\d{4})-(?<month>\d\d)\b/dgmsuy,
      new RegExp('[[a-z]&&[aeiou]]', 'v'),
      /./,
      new Set(long),
      Object.fromEntries(long.map(name => [name, 1])),
      new Map(Array.from({ length: 10 }, (_, i) => [`${i}`.repeat(20_000), i])),
    ])
      expect(decodeValue(encodeValue(value))).to.deep.equal(value);
  });

  it('takes no table of memory for an index on an error', () => {
    const error = encodeValue(Object.assign(new Error('x'), { 1000: 0, stack: '' }));
    const count = 5_000;
    const bytes = Buffer.concat([Buffer.of(Tag.ARRAY32), u32(count), ...Array<Uint8Array>(count).fill(error)]);
    const before = process.memoryUsage().heapUsed;
    const errors = decodeValue(bytes) as Error[];
    // As elements up to the index they would take 35 to 60 MB.
    expect(process.memoryUsage().heapUsed - before).to.be.lessThan(20 * 1024 * 1024);
    expect(errors[count - 1]).to.have.property('1000', 0);
  });

  it('has a bound on its objects and entries, and on its names as far as they differ', () => {
    const many = 1_100_000;
    const array = (element: Buffer, count = many): Buffer =>
      Buffer.concat([Buffer.of(Tag.ARRAY32), u32(count), Buffer.alloc(count * element.length, element)]);
    const property = (i: number): Buffer => Buffer.from(`${i.toString(36).padStart(4, '_')}\u0001`);
    const named = Buffer.of(Tag.STRING + 4);
    const properties = Buffer.concat(Array.from({ length: 270_000 }, (_, i) => [named, property(i)]).flat());
    const object = (inner: Uint8Array): Buffer => Buffer.concat([Buffer.of(Tag.OBJECT), inner, Buffer.of(Tag.END)]);
    const entries = Buffer.alloc(many, 1);
    const dear = {
      arrays: array(Buffer.of(Tag.ARRAY)),
      objects: array(Buffer.of(Tag.OBJECT, Tag.END)),
      dates: array(Buffer.concat([Buffer.of(Tag.DATE), Buffer.alloc(8)])),
      set: Buffer.concat([Buffer.of(Tag.SET), u32(many), entries]),
      map: Buffer.concat([Buffer.of(Tag.MAP), u32(many), entries, entries]),
      names: object(properties),
    };
    for (const [what, bytes] of Object.entries(dear)) expect(() => decodeReceived(bytes), what).to.throw(TooManyPartsError);
    // What is cheap for its bytes may be as long as it likes, and so may whatever a trusted process writes.
    expect(decodeReceived(array(Buffer.of(1), 2 * many))).to.have.length(2 * many);
    const row = object(properties.subarray(0, 9 * 6));
    expect(decodeReceived(array(row, 50_000))).to.have.length(50_000);
    expect(decodeValue(dear.arrays)).to.have.length(many);
  });
});
