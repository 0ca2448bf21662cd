import type { ConnectionBlueprint, Ctor } from '../../blueprint/types.js';
import type { Owner } from '../../workers/call/owner.js';

/** The objects that the container made for one connection. */
export interface Built {
  readonly instance: object;
  /** Called once, after `@OnClose`. What it throws is logged. */
  dispose?(): void | Promise<void>;
}

/**
 * Makes the handler of one connection: compiled once per class by the container. It may throw: then that connection alone is closed.
 * The owner is there when the class injects a worker client, or `wantsOwner` is true.
 */
export interface Build {
  (peer: object, owner: Owner | undefined): Built;
  /** Something behind the constructor's parameters needs the owner: a connection-scoped provider with a client, a channel. */
  readonly wantsOwner?: boolean;
}

/** Facts about handler classes that the reactor needs; the application answers it. */
export interface Handlers {
  /** The checked declarations of a class. Throws ConfigurationError. */
  blueprintOf(cls: Ctor): ConnectionBlueprint;
  /** Called once per class. Throws ConfigurationError. */
  build(blueprint: ConnectionBlueprint): Build;
}
