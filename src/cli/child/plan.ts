/** Orders for a child of the command line that loads the user's module. Passed as JSON in its first argument. */
export interface ChildPlan {
  readonly mode: 'run' | 'check';
  /** Absolute path of the module. */
  readonly file: string;
  /** The exported class to take. */
  readonly export?: string | undefined;
  /** `closeTimeout` where `bootstrap()` is given none. */
  readonly closeTimeout?: string | undefined;
  /** Said when its syntax cannot be read. */
  readonly hint?: string | undefined;
}

/** Messages of the child to its parent. */
export type ChildMessage = { readonly packet: 'ready' };
