import { expect } from 'chai';
import fc from 'fast-check';
import { textOf } from '../../src/framing/text.js';

describe('text of bytes', () => {
  it('is what toString says, short and long, whatever the bytes are', () => {
    const parts = fc.array(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 50 }).map(text => Buffer.from(text)),
        fc.constantFrom('\uFEFF', '\u2028', '😀', 'é', '\0', 'plain').map(text => Buffer.from(text)),
        fc.uint8Array({ maxLength: 3 }),
      ),
      { maxLength: 10 },
    );
    fc.assert(
      fc.property(parts, fc.constantFrom(1, 50, 5000), fc.nat(20), (some, times, start) => {
        const bytes = Buffer.concat(Array.from({ length: times }, () => some).flat());
        expect(textOf(bytes, 'utf8', start)).to.equal(bytes.toString('utf8', start));
        expect(textOf(bytes, 'latin1', start)).to.equal(bytes.toString('latin1', start));
      }),
      { numRuns: 300 },
    );
  });
});
