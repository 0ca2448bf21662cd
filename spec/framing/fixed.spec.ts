import { expect } from 'chai';
import fc from 'fast-check';
import { fixed, FramingError } from '../../src/framing/index.js';
import { conformance } from '../../src/testing/conformance.js';
import { decoded, survivesAnyBytes, survivesAnyCut } from './kit.js';

describe('fixed()', () => {
  conformance(fixed(3), { samples: [{ bytes: 'onetwo', messages: [Buffer.from('one'), Buffer.from('two')] }], garbage: ['four'] });
  describe('of many bytes', () => {
    conformance(fixed(2 ** 20), {
      samples: [{ bytes: Buffer.alloc(2 ** 21, 'x'), messages: [Buffer.alloc(2 ** 20, 'x'), Buffer.alloc(2 ** 20, 'x')] }],
    });
  });

  it('delivers any bytes as they were sent, however they are cut', () => {
    const content = fc.uint8Array({ minLength: 7, maxLength: 7 }).map(bytes => Buffer.from(bytes));
    survivesAnyCut<Buffer>(fixed(7), content, (actual, expected) => expect(actual).to.deep.equal(expected));
  });

  it('raises nothing but FramingErrors', () => survivesAnyBytes(fixed(7)));

  it('calls what the stream ends in truncated', () => {
    expect(() => decoded(fixed(3), ['onetw']))
      .to.throw(FramingError, 'after 2 bytes')
      .with.property('code', 'ERR_PACKET_FRAMING_TRUNCATED');
  });

  it('has its length for its limit, and refuses a smaller one at the first byte', () => {
    expect(fixed(512).maxMessageSize).to.equal(512);
    expect(() => decoded(fixed(512), ['x'], 511))
      .to.throw(FramingError)
      .with.property('code', 'ERR_PACKET_FRAMING_TOO_LARGE');
  });

  it('throws for a message of another length', () => {
    expect(() => fixed(3).encode('four')).to.throw(RangeError, '4 bytes');
    expect(fixed(2).encode('é')).to.deep.equal(Buffer.from('é'));
  });

  for (const length of [0, -1, 1.5, NaN, Infinity])
    it(`refuses a length of ${length}`, () => expect(() => fixed(length)).to.throw(RangeError));

  it('reads datagrams of whole messages only', () => {
    expect(decoded(fixed(2).whole!, ['abcd']).map(String)).to.deep.equal(['ab', 'cd']);
    expect(() => decoded(fixed(2).whole!, ['abc']))
      .to.throw(FramingError)
      .with.property('code', 'ERR_PACKET_FRAMING_TRUNCATED');
  });
});
