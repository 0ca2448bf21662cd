import { median } from '../kit/report.js';

/** How two series of one measure differ. */
export interface Verdict {
  /** Median of now over before, round by round. */
  readonly ratio: number;
  /** 1: now is larger beyond noise, −1: smaller, 0: it cannot be told. */
  readonly changed: -1 | 0 | 1;
}

/** Chance at most of calling a difference one where there is none, for each direction. */
const LEVEL = 0.01;
/** Differences below this share are nothing to act on, however certain. */
const SMALLEST = 0.03;

/** The chance that of `n` fair coins `k` or more show heads. */
function chanceOf(k: number, n: number): number {
  let term = 1;
  let sum = 0;
  for (let heads = 0; heads <= n; heads++) {
    if (heads >= k) sum += term;
    term = (term * (n - heads)) / (heads + 1);
  }
  return sum / 2 ** n;
}

/**
 * Compares two series that were measured in turns, by the sign test: a noisy round hits both of its halves, so that only counts which of the
 * two was larger in how many rounds.
 * @example verdict([10, 11, 10, 12, 10, 11, 10], [12, 13, 12, 14, 12, 13, 12]) // { ratio: 1.18…, changed: 1 }
 */
export function verdict(before: readonly number[], now: readonly number[]): Verdict {
  const ratios = before.map((figure, round) => now[round]! / figure);
  const ratio = median(ratios);
  const larger = ratios.filter(each => each > 1).length;
  const smaller = ratios.filter(each => each < 1).length;
  const rounds = larger + smaller;
  if (Math.abs(ratio - 1) < SMALLEST) return { ratio, changed: 0 };
  if (chanceOf(larger, rounds) <= LEVEL) return { ratio, changed: 1 };
  return { ratio, changed: chanceOf(smaller, rounds) <= LEVEL ? -1 : 0 };
}
