import { deepStrictEqual } from 'node:assert';
import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { NotCloneableError } from '../../src/errors.js';
import { FramingError, objects } from '../../src/framing/index.js';
import { conformance } from '../../src/testing/conformance.js';
import { encodeValue } from '../../src/wire/codec/codec.js';
import { decoded, encoded, survivesAnyBytes, survivesAnyCut } from './kit.js';

const MESSAGES = [{ a: [1, -0, NaN, 'é'] }, null, new Map([['k', new Set([new Date(0)])]]), Buffer.from('bytes'), 2n ** 70n];

describe('objects()', () => {
  conformance(objects(), {
    samples: [
      { bytes: Buffer.concat(MESSAGES.map(message => encoded(objects(), message))), messages: MESSAGES },
      { bytes: encoded(objects(), ['x'.repeat(2 ** 20)]), messages: [['x'.repeat(2 ** 20)]] },
    ],
    garbage: [Buffer.from([0, 0, 0, 1, 0xff]), Buffer.from([0, 0, 0, 0]), encoded(objects(), 'cut').subarray(0, -1)],
  });

  it('is the length in four bytes, big-endian, and the value as it crosses to a worker', () => {
    const value = encodeValue({ a: 1 });
    expect(encoded(objects(), { a: 1 })).to.deep.equal(Buffer.concat([Buffer.from([0, 0, 0, value.length]), value]));
  });

  it('delivers any value as it was sent, however it is cut', () => {
    // Two invalid dates are not equal in the eyes of deepStrictEqual.
    const value = fc
      .anything({ withDate: true, withMap: true, withSet: true, withBigInt: true })
      .filter(each => each !== undefined && !inspect(each, { depth: Infinity }).includes('Invalid Date'));
    // Not by chai, which sorts the members of a Set by what their own toString() says.
    survivesAnyCut<unknown>(objects(), value, (actual, expected) => deepStrictEqual(actual, structuredClone(expected)));
  });

  it('raises nothing but FramingErrors', () => {
    survivesAnyBytes(objects(), ['\0\0\0\x01', '\0\0\0\x08', ...MESSAGES.map(message => encoded(objects(), message).toString('latin1'))]);
  });

  it('rebuilds errors with their class', () => {
    const [error] = decoded(objects(), [encoded(objects(), new RangeError('far', { cause: 'why' }))]);
    expect(error).to.be.instanceOf(RangeError).with.property('message', 'far');
  });

  it('throws for undefined, which is no message, and for what cannot be copied, with its path', () => {
    expect(() => objects().encode(undefined)).to.throw(TypeError, 'undefined');
    expect(() => objects().encode({ deep: [() => {}] })).to.throw('message.deep');
    const undefinedSent = encodeValue(undefined);
    expect(() => decoded(objects(), [Buffer.concat([Buffer.from([0, 0, 0, undefinedSent.length]), undefinedSent])])).to.throw(
      FramingError,
      'undefined',
    );
  });

  it("neither sends nor takes a regular expression: whoever makes one from a peer's bytes decides to", () => {
    expect(() => objects().encode({ filter: [/x/] })).to.throw(
      NotCloneableError,
      'message.filter[0] is a regular expression: send its source and flags',
    );
    const sent = encodeValue({ filter: /x/ });
    const length = Buffer.alloc(4);
    length.writeUInt32BE(sent.length);
    expect(() => decoded(objects(), [Buffer.concat([length, sent])])).to.throw(FramingError, 'not a structured value');
    expect(() => objects().whole!.decoder(1e6).push(Buffer.from(sent))).to.not.throw();
  });

  it('refuses values nested deeper than 100 levels', () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 200; depth++) deep = [deep];
    expect(() => decoded(objects(), [encoded(objects(), deep)])).to.throw();
  });

  it('is the value alone in a datagram', () => {
    expect(encoded(objects().whole!, 'x')).to.deep.equal(Buffer.from(encodeValue('x')));
    expect(decoded(objects().whole!, [Buffer.from(encodeValue('x'))])).to.deep.equal(['x']);
    expect(() => decoded(objects().whole!, [''])).to.throw(FramingError);
  });
});
