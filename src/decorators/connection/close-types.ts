/** What was cut off when the application closed; all zero and `graceful` when nothing was. */
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
