import { parseArgs } from 'node:util';

/** What can be said behind `npm run bench <name> --`. */
export interface BenchOptions {
  /** Interleaved rounds: every contender once per setting, in a new order each time. */
  readonly rounds: number;
  /** How long one contender is measured in one round, milliseconds. */
  readonly ms: number;
  /** Only contenders whose name contains one of these. */
  readonly only: readonly string[];
  /** Only these settings: numbers of calls in flight, or of pipelined requests. */
  readonly at: readonly number[] | undefined;
  /** The contender that the others are compared with: the first whose name contains this. */
  readonly first: string | undefined;
}

export function readOptions(argv: readonly string[], defaults: { rounds: number; ms: number }): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: 'string' },
      ms: { type: 'string' },
      only: { type: 'string' },
      at: { type: 'string' },
      first: { type: 'string' },
    },
  });
  return {
    rounds: Number(values.rounds ?? defaults.rounds),
    ms: Number(values.ms ?? defaults.ms),
    only: values.only?.split(',') ?? [],
    at: values.at?.split(',').map(Number),
    first: values.first,
  };
}

/** The contenders that `--only` leaves, the first one always; `--first` says which one that is. */
export function chosen<T extends { readonly name: string }>(contenders: readonly T[], { only, first }: BenchOptions): T[] {
  const hero = contenders.find(({ name }) => first !== undefined && name.includes(first)) ?? contenders[0]!;
  const others = contenders.filter(each => each !== hero);
  return [hero, ...others.filter(({ name }) => only.length === 0 || only.some(part => name.includes(part)))];
}
