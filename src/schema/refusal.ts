import type { BoundaryDetails } from '../errors/boundary.js';
import type { Refused } from '../schema.js';

/** A method whose schema did not accept a value. */
export interface Tried {
  readonly method: PropertyKey;
  readonly refused: Refused;
}

function countOf({ refused: { issues, count = issues.length } }: Tried): number {
  return count;
}

/**
 * Why none of several methods takes a value: the issues of the nearest, which is the one with the fewest. A broken schema, which ends the
 * search, is always the nearest.
 */
export function refusalOf(tried: readonly Tried[]): Pick<BoundaryDetails, 'issues' | 'count' | 'more' | 'tried'> {
  let nearest = tried[0];
  if (!nearest) return { issues: [{ message: 'no method takes it' }] };
  for (const each of tried) {
    if (each.refused.broken || countOf(each) < countOf(nearest)) nearest = each;
    if (each.refused.broken) break;
  }
  const { issues, count, more } = nearest.refused;
  if (tried.length === 1) return { issues, count, more };
  return { issues, count, more, tried: { methods: tried.map(({ method }) => String(method)), nearest: String(nearest.method) } };
}
