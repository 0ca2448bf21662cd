import { expect } from 'chai';
import fc from 'fast-check';
import { FramingError, netstring } from '../../src/framing/index.js';
import { conformance } from '../../src/testing/conformance.js';
import { decoded, encoded, survivesAnyBytes, survivesAnyCut } from './kit.js';

describe('netstring()', () => {
  conformance(netstring(), {
    samples: [
      { bytes: '12:hello world!,0:,1:,,', messages: [Buffer.from('hello world!'), Buffer.alloc(0), Buffer.from(',')] },
      { bytes: `1048576:${'x'.repeat(2 ** 20)},`, messages: [Buffer.alloc(2 ** 20, 'x')] },
    ],
    garbage: [':', ',', 'x', '-1:', '5:hello;', '5:hello', '01:a,', '00:,', '1 :a,', '+1:a,', '1', '99999999999999999999999:'],
  });

  it('delivers any bytes as they were sent, however they are cut', () => {
    const content = fc.uint8Array({ maxLength: 120 }).map(bytes => Buffer.from(bytes));
    survivesAnyCut<Buffer>(netstring(), content, (actual, expected) => expect(actual).to.deep.equal(expected));
  });

  it('raises nothing but FramingErrors', () => survivesAnyBytes(netstring(), ['5:', ':', ',', '0:,', '1:a,']));

  it('refuses a length as soon as its digits exceed the limit', () => {
    const decoder = netstring().decoder(1000);
    decoder.push(Buffer.from('1001'));
    expect(() => decoder.next())
      .to.throw(FramingError)
      .with.property('code', 'ERR_PACKET_FRAMING_TOO_LARGE');
    expect(decoded(netstring(), ['4:four,'], 4)).to.have.length(1);
    expect(() => decoded(netstring(), ['5:fives,'], 4)).to.throw(FramingError);
  });

  it('counts bytes, not characters', () => expect(encoded(netstring(), 'é').toString()).to.equal('2:é,'));

  it('is the message alone in a datagram', () => {
    expect(encoded(netstring().whole!, 'hi').toString()).to.equal('hi');
    expect(decoded(netstring().whole!, ['hi']).map(String)).to.deep.equal(['hi']);
  });
});
