/** One way to do the same thing; started once, then measured round after round. */
export interface Contender<Subject> {
  readonly name: string;
  start(): Promise<Running<Subject>>;
}

export interface Running<Subject> {
  readonly subject: Subject;
  stop(): Promise<unknown> | void;
}

/** What was measured: setting ('64 in flight') → contender → one figure a round, higher is better. */
export type Figures = Map<string, Map<string, number[]>>;
