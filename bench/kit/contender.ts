/** One way to do the same thing; started once, then measured round after round. */
export interface Contender<Subject> {
  readonly name: string;
  start(): Promise<Running<Subject>>;
}

export interface Running<Subject> {
  readonly subject: Subject;
  stop(): Promise<unknown> | void;
}

/** What one measurement gave: a figure for each table that has one of it. */
export type Measured = Readonly<Record<string, number>>;

/** What was measured for one table: setting ('64 in flight') → contender → one figure a round. */
export type Figures = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>;
