/** Counts of the work that closing the application cut off; all zero and `graceful` when there was none. */
export interface CloseSummary {
  /** Everything had finished before the deadline. */
  readonly graceful: boolean;
  /** Connections that were destroyed. */
  readonly connections: number;
  /** Calls that were lost. */
  readonly calls: number;
  /** Worker processes that were killed. */
  readonly workers: number;
}
