/** Bytes, as the indices that are true. */
export type ByteSet = readonly boolean[];

/** Upper bounds of the cost of matching a part of a pattern, whatever the bytes are. */
export interface Cost {
  /** At how many places its match may end, for one beginning. */
  readonly ends: number;
  /** In how many ways it may come to one of these places. */
  readonly ways: number;
  /** Steps of backtracking until all of them have been tried. */
  readonly steps: number;
  /** Bytes that it may begin with, and all that it may contain. */
  readonly first: ByteSet;
  readonly all: ByteSet;
}

/** A part of a pattern, with the lengths that it may match. */
export interface Sized extends Cost {
  readonly shortest: number;
  readonly longest: number;
}

const BYTES = 256;
const NONE: ByteSet = Array.from({ length: BYTES }, () => false);

/** The bytes that one atom of a pattern matches: its own engine is asked. */
export function bytesOf(atom: string, flags: string): ByteSet {
  const test = new RegExp(`^(?:${atom})$`, flags);
  return NONE.map((_, byte) => test.test(String.fromCharCode(byte)));
}

function union(a: ByteSet, b: ByteSet): ByteSet {
  return a.map((has, byte) => has || b[byte] === true);
}

function overlap(a: ByteSet, b: ByteSet): boolean {
  return a.some((has, byte) => has && b[byte] === true);
}

/** Where nothing is matched. */
export const NOTHING: Sized = { shortest: 0, longest: 0, ends: 1, ways: 1, steps: 0, first: NONE, all: NONE };

/** One byte of a set. */
export function sizedOf(set: ByteSet): Sized {
  return { shortest: 1, longest: 1, ends: 1, ways: 1, steps: 1, first: set, all: set };
}

/** One part behind another. */
export function sequence(a: Sized, b: Sized): Sized {
  const shortest = a.shortest + b.shortest;
  const longest = a.longest + b.longest;
  const first = a.shortest > 0 ? a.first : union(a.first, b.first);
  const lengths = { shortest, longest, first, all: union(a.all, b.all) };
  const tries = a.ends * a.ways;
  // A shorter match of the first is followed by a byte of its own: what cannot begin with one goes on behind the longest alone.
  if (a.ends === 1 || (b.shortest > 0 && !overlap(a.all, b.first)))
    return { ...lengths, ends: b.ends, ways: a.ways * b.ways, steps: a.steps + tries + a.ways * b.steps };
  return {
    ...lengths,
    ends: Math.min(a.ends * b.ends, longest - shortest + 1),
    ways: a.ways * b.ways * Math.min(a.ends, b.ends),
    steps: a.steps + tries * b.steps,
  };
}

/** One part or another. */
export function choice(a: Sized, b: Sized): Sized {
  const exclusive = a.shortest > 0 && b.shortest > 0 && !overlap(a.first, b.first);
  return {
    shortest: Math.min(a.shortest, b.shortest),
    longest: Math.max(a.longest, b.longest),
    ends: exclusive ? Math.max(a.ends, b.ends) : a.ends + b.ends,
    ways: exclusive ? Math.max(a.ways, b.ways) : a.ways + b.ways,
    steps: exclusive ? Math.max(a.steps, b.steps) + 1 : a.steps + b.steps,
    first: union(a.first, b.first),
    all: union(a.all, b.all),
  };
}

/** One part `least` to `most` times. */
export function repeat(part: Sized, least: number, most: number): Sized {
  const shortest = part.shortest * least;
  const longest = part.longest * most;
  const bounds = { shortest, longest, first: part.first, all: part.all };
  if (part.ends === 1 && part.ways === 1) {
    const ends = most - least + 1;
    return { ...bounds, ends, ways: 1, steps: most * part.steps + ends };
  }
  if (least === 0 && most === 1) {
    const isEmpty = part.shortest === 0 ? 0 : 1;
    return { ...bounds, ends: part.ends + isEmpty, ways: part.ways + 1 - isEmpty, steps: part.steps + 1 };
  }
  let total = 0;
  let steps = 0;
  for (let times = 1, ways = 1; times <= most && Number.isFinite(total); times++) {
    steps += ways * part.steps;
    ways *= part.ends * part.ways;
    total += ways;
  }
  return { ...bounds, ends: Math.min(total + 1, longest - shortest + 1), ways: total + 1, steps: steps + total };
}
