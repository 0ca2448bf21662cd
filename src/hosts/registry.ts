import { UsageError } from '../errors.js';
import type { Host } from './host.js';
import type { InlineHostOptions } from './inline-types.js';

/** The application's side of a host. */
export interface HostContext {
  /** The module that a new process or thread runs first, and the flags of Node that go before it. */
  entry(): { readonly file: URL; readonly flags: readonly string[] };
  /** Runs a worker in the master's own event loop. */
  readonly inline: InlineHostOptions;
}

/** A place where workers can run: one value of the option `runtime`. */
export interface HostDeclaration {
  /** The value of the option `runtime`. */
  readonly runtime: string;
  /**
   * Options of `@Worker` that it cannot keep: a boot error where the decorator says both, ignored with one log line where the runtime was
   * chosen by a test.
   */
  readonly cannotKeep: readonly string[];
  /** Its workers run in the master's heap and event loop: an override of a test reaches them, and their module is loaded already. */
  readonly sharesMaster: boolean;
  /** Its workers have the master's pid, flags and inspector. */
  readonly sharesProcess: boolean;
  /** Accepted sockets cannot be passed to its workers: they listen by themselves, so each has one instance. */
  readonly listensAlone?: boolean;
  /** Makes the host. Called once per application, when its first worker starts. */
  start(context: HostContext): Host;
}

const declarations = new Map<string, HostDeclaration>();

/**
 * Adds a runtime.
 * @throws UsageError where one of that name is there.
 * @example registerHost({ runtime: 'thread', cannotKeep: ['uid'], sharesMaster: false, sharesProcess: true, start: startThreads });
 */
export function registerHost(declaration: HostDeclaration): void {
  const { runtime } = declaration;
  if (declarations.has(runtime)) throw new UsageError(`there is a host for the runtime '${runtime}'`);
  declarations.set(runtime, declaration);
}

/** The declaration of a runtime; undefined where its module has not been loaded, as in a worker. */
export function hostNamed(runtime: string): HostDeclaration | undefined {
  return declarations.get(runtime);
}
