import { expect } from 'chai';
import { raw } from '../../src/framing/index.js';
import { conformance } from '../../src/testing/conformance.js';
import { decoded, encoded, survivesAnyBytes } from './kit.js';

describe('raw()', () => {
  conformance(raw(), { samples: [{ bytes: 'any bytes\0\n', messages: [Buffer.from('any bytes\0\n')] }], joined: true });

  it('gives chunks out as they came', () => {
    expect(decoded(raw(), ['ab', 'c', 'def']).map(String)).to.deep.equal(['ab', 'c', 'def']);
  });

  it('gives the chunk itself out, and so it is its receiver’s own', () => {
    const decoder = raw().decoder(Infinity);
    const chunk = Buffer.from('chunk');
    decoder.push(chunk);
    expect(decoder.next()).to.equal(chunk);
  });

  it('hands on the chunks that nobody asked for', () => {
    const decoder = raw().decoder(Infinity);
    for (const text of ['one', 'two', 'three']) decoder.push(Buffer.from(text));
    decoder.next();
    expect(decoder.pending).to.equal(8);
    expect(decoder.rest().toString()).to.equal('twothree');
  });

  it('raises nothing, whatever comes', () => survivesAnyBytes({ ...raw(), decoder: limit => joined(raw().decoder(limit)) }));

  it('sends text as UTF-8 and any kind of bytes', () => {
    expect(encoded(raw(), 'é')).to.deep.equal(Buffer.from([0xc3, 0xa9]));
    expect(encoded(raw(), new Uint8Array([1, 2]))).to.deep.equal(Buffer.from([1, 2]));
    expect(() => raw().encode({} as string)).to.throw(TypeError, 'object');
  });

  it('takes every datagram for a message, an empty one too', () => {
    expect(decoded(raw().whole!, ['']).map(String)).to.deep.equal(['']);
    expect(decoded(raw().whole!, ['abc']).map(String)).to.deep.equal(['abc']);
  });
});

/** One message of all there was: how many chunks there were is no property of the bytes. */
function joined(decoder: ReturnType<ReturnType<typeof raw>['decoder']>): typeof decoder {
  return {
    push: chunk => decoder.push(chunk),
    next: () => undefined,
    end: () => Buffer.concat([decoder.rest()]),
    rest: () => Buffer.alloc(0),
  };
}
