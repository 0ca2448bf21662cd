import { expect } from 'chai';
import fc from 'fast-check';
import { verdict } from '../../bench/check/verdict.js';

const ROUNDS = 15;
const series = (of: (round: number) => number): number[] => Array.from({ length: ROUNDS }, (_, round) => of(round));

describe('the verdict of bench check', () => {
  it('says which series is larger where the rounds agree, by the median of their ratios', () => {
    // Each round has its own noise, which hits both halves.
    const noise = series(round => 10 + ((round * 7) % 5));
    const more = noise.map(figure => figure * 1.2);
    expect(verdict(noise, more).changed).to.equal(1);
    expect(verdict(noise, more).ratio).to.be.closeTo(1.2, 1e-9);
    expect(verdict(more, noise).changed).to.equal(-1);
  });

  it('says nothing where they do not agree, where too few were measured, and of what is too small to act on', () => {
    const steady = series(() => 10);
    // Larger in 10 of 15 rounds: fair coins do that once in seven times.
    expect(
      verdict(
        steady,
        series(round => (round % 3 === 0 ? 8 : 12)),
      ).changed,
    ).to.equal(0);
    expect(verdict([10, 10, 10, 10, 10], [20, 20, 20, 20, 20]).changed).to.equal(0);
    expect(verdict([10, 10, 10, 10, 10, 10, 10], [20, 20, 20, 20, 20, 20, 20]).changed).to.equal(1);
    expect(
      verdict(
        steady,
        series(() => 10.29),
      ).changed,
    ).to.equal(0);
    expect(
      verdict(
        steady,
        series(() => 10.31),
      ).changed,
    ).to.equal(1);
    expect(verdict(steady, steady)).to.deep.equal({ ratio: 1, changed: 0 });
  });

  it('is not moved by one wild round', () => {
    const steady = series(() => 10);
    expect(
      verdict(
        steady,
        series(round => (round === 3 ? 1e6 : 10)),
      ),
    ).to.deep.equal({ ratio: 1, changed: 0 });
    expect(
      verdict(
        steady,
        series(round => (round === 3 ? 0.001 : 13)),
      ),
    ).to.deep.equal({ ratio: 1.3, changed: 1 });
  });

  it('turns around when the series change places', () => {
    const figures = fc.array(fc.tuple(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: 1_000 })), {
      minLength: 1,
      maxLength: 25,
    });
    fc.assert(
      fc.property(figures, pairs => {
        // The median of an even number lies between two ratios, which has no counterpart.
        if (pairs.length % 2 === 0) pairs.pop();
        const before = pairs.map(([a]) => a);
        const now = pairs.map(([, b]) => b);
        const there = verdict(before, now);
        const back = verdict(now, before);
        expect(there.ratio * back.ratio).to.be.closeTo(1, 1e-9);
        // At the border of 3 % one direction may count where the other does not.
        if (Math.abs(there.ratio - 1) > 0.05 || there.ratio === 1) expect(there.changed + back.changed).to.equal(0);
      }),
    );
  });
});
