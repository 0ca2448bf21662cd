/** Orders for a child of the command line that loads the user's module. Passed as JSON in its first argument. */
export interface ChildPlan {
  readonly mode: 'run' | 'check' | 'work';
  /** Absolute path of the module. */
  readonly file: string;
  /** The exported class to take. */
  readonly export?: string | undefined;
  /** `closeTimeout` where `bootstrap()` is given none. */
  readonly closeTimeout?: string | undefined;
  /** The page, where `bootstrap()` says nothing of it. */
  readonly admin?: boolean | undefined;
  /** Mode 'work': the workers to offer, and where. */
  readonly work?: WorkPlan | undefined;
  /** Said when its syntax cannot be read. */
  readonly hint?: string | undefined;
}

/** Options of `packet-ts work`. */
export interface WorkPlan {
  /** Urls of NATS servers, with commas. */
  readonly mesh: string;
  readonly workers: readonly string[];
  readonly name: string | undefined;
  readonly zone: string | undefined;
  readonly namespace: string | undefined;
  /** Paths of files. */
  readonly credentials: string | undefined;
  readonly nkey: string | undefined;
  readonly user: string | undefined;
  readonly tls: boolean;
}

/** Messages of a child that runs an application to the process which started it. */
export type ChildMessage =
  | { readonly packet: 'ready'; readonly workers: readonly WorkerSource[] }
  | { readonly packet: 'bind'; readonly id: number; readonly url: string; readonly mode: number | undefined }
  | { readonly packet: 'release'; readonly url: string }
  | { readonly packet: 'restarted'; readonly id: number; readonly error: string | undefined }
  | { readonly packet: 'seen'; readonly id: number; readonly facts: object };

/** Messages to that child. A socket comes with `bound`. */
export type ParentMessage =
  | { readonly packet: 'bound'; readonly id: number; readonly url: string }
  | { readonly packet: 'unbound'; readonly id: number; readonly code: string; readonly message: string }
  | { readonly packet: 'hand-over' }
  | { readonly packet: 'restart'; readonly id: number; readonly pools: readonly string[] }
  | { readonly packet: 'look'; readonly id: number };

/** A worker, and the file that declares it. */
export interface WorkerSource {
  /** `name`, or `name[key]`. */
  readonly pool: string;
  readonly file: string;
}
