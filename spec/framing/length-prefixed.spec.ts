import { expect } from 'chai';
import fc from 'fast-check';
import { FramingError, lengthPrefixed, type LengthPrefixedOptions } from '../../src/framing/index.js';
import { conformance } from '../../src/testing/conformance.js';
import { decoded, encoded, survivesAnyBytes, survivesAnyCut } from './kit.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('lengthPrefixed()', () => {
  const forms: [LengthPrefixedOptions, string][] = [
    [{}, '00000002 6869 00000000'],
    [{ bytes: 1 }, '02 6869 00'],
    [{ bytes: 2 }, '0002 6869 0000'],
    [{ bytes: 2, endian: 'little' }, '0200 6869 0000'],
    [{ bytes: 4, includesHeader: true }, '00000006 6869 00000004'],
    [{ bytes: 8 }, '0000000000000002 6869 0000000000000000'],
    [{ bytes: 8, endian: 'little', includesHeader: true }, '0a00000000000000 6869 0800000000000000'],
  ];
  for (const [options, bytes] of forms) {
    describe(JSON.stringify(options), () => {
      conformance(lengthPrefixed(options), {
        samples: [{ bytes: hex(bytes), messages: [Buffer.from('hi'), Buffer.alloc(0)] }],
        garbage: [hex(bytes).subarray(0, (options.bytes ?? 4) + 1), ...(options.includesHeader ? [Buffer.alloc(options.bytes!)] : [])],
      });
      it('writes what it reads', () => {
        const framing = lengthPrefixed(options);
        expect(Buffer.concat([encoded(framing, 'hi'), encoded(framing, Buffer.alloc(0))])).to.deep.equal(hex(bytes));
      });
    });
  }

  it('delivers any bytes as they were sent, however they are cut', () => {
    const content = fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes));
    survivesAnyCut<Buffer>(lengthPrefixed({ bytes: 2 }), content, (actual, expected) => expect(actual).to.deep.equal(expected));
  });

  it('raises nothing but FramingErrors', () => survivesAnyBytes(lengthPrefixed({ bytes: 2 }), ['\0', '\0\x05']));

  it('fails at the header when the declared length is above the limit', () => {
    const decoder = lengthPrefixed().decoder(1000);
    decoder.push(hex('000003e9'));
    expect(() => decoder.next())
      .to.throw(FramingError, '1001 bytes')
      .with.property('code', 'ERR_PACKET_FRAMING_TOO_LARGE');
  });

  it('refuses lengths beyond every limit, even without one', () => {
    expect(() => decoded(lengthPrefixed({ bytes: 8 }), [hex('ffffffffffffffff')])).to.throw(FramingError);
  });

  it('refuses a length that includes its header and is less than it', () => {
    expect(() => decoded(lengthPrefixed({ bytes: 4, includesHeader: true }), [hex('00000003')])).to.throw(FramingError, 'less than itself');
  });

  it('calls a message truncated that the stream ends in', () => {
    for (const start of ['00', '00000002', '0000000268']) {
      expect(() => decoded(lengthPrefixed(), [hex(start)]))
        .to.throw(FramingError)
        .with.property('code', 'ERR_PACKET_FRAMING_TRUNCATED');
    }
  });

  it('throws for a message whose length the field cannot tell', () => {
    expect(encoded(lengthPrefixed({ bytes: 1 }), Buffer.alloc(255))).to.have.length(256);
    expect(() => lengthPrefixed({ bytes: 1 }).encode(Buffer.alloc(256))).to.throw(RangeError, '256 bytes');
    expect(() => lengthPrefixed({ bytes: 1, includesHeader: true }).encode(Buffer.alloc(255))).to.throw(RangeError);
    expect(() => lengthPrefixed({ bytes: 2 }).encode(Buffer.alloc(65_536))).to.throw(RangeError);
  });

  it('does not copy a large message to put its length before it', () => {
    const large = Buffer.alloc(100_000);
    expect(lengthPrefixed().encode(large))
      .to.deep.equal([hex('000186a0'), large])
      .and.to.have.property('1', large);
  });

  it('refuses other sizes and orders', () => {
    expect(() => lengthPrefixed({ bytes: 3 as 4 })).to.throw(RangeError, '3');
    expect(() => lengthPrefixed({ endian: 'middle' as 'big' })).to.throw(RangeError, 'middle');
  });

  it('is the message alone in a datagram, within the limit', () => {
    const whole = lengthPrefixed().whole!;
    expect(encoded(whole, 'hi').toString()).to.equal('hi');
    expect(decoded(whole, ['hi']).map(String)).to.deep.equal(['hi']);
    expect(() => decoded(whole, ['hi'], 1)).to.throw(FramingError);
  });
});
