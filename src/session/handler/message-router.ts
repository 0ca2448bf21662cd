import type { ConnectionBlueprint } from '../../blueprint/types.js';
import { refusalOf, type Tried } from '../../refusal.js';
import { BoundaryError } from '../../errors.js';
import type { Remote } from '../../endpoints/endpoint.js';
import type { Build } from './handler-types.js';

/** What `data` answers for a message that no `@OnData` accepts. */
export class Unrouted {
  readonly #tried: readonly Tried[];

  constructor(tried: readonly Tried[]) {
    this.#tried = tried;
  }

  get error(): BoundaryError {
    return new BoundaryError({ direction: 'input', ...refusalOf(this.#tried) });
  }
}

/** An instance, seen as its methods. The blueprint knows that they are there. */
export type Methods = Readonly<Record<PropertyKey, (...args: unknown[]) => unknown>>;

/** Gives a message to the first method whose schema accepts it. */
export type MessageRouter = (instance: Methods, message: unknown, from: Remote | undefined, peer: Located) => unknown;

/** Somebody who is somewhere: whom a message came from where nothing else is said. */
export interface Located {
  readonly remote: Remote;
}

/** A handler class, compiled once: what sessions need to know of it, in the shape in which they need it. */
export interface HandlerPlan {
  readonly blueprint: ConnectionBlueprint;
  readonly name: string;
  readonly build: Build;
  /** The class, or something it is made with, calls workers. */
  readonly wantsOwner: boolean;
  readonly data: MessageRouter;
  /** False: the class has no `@OnData`, and its connections are not read until piped. */
  readonly reads: boolean;
}

function dispatchOf(blueprint: ConnectionBlueprint): MessageRouter {
  const { data } = blueprint;
  const first = data[0];
  // Who is asked for a second argument gets one; for the others it is not even made.
  const wantsFrom = data.some(({ key }) => (blueprint.cls.prototype as Methods)[key]!.length > 1);
  if (data.length === 1 && first && !first.validate) {
    const { key } = first;
    return wantsFrom
      ? (instance, message, from, peer) => instance[key]!(message, from ?? peer.remote)
      : (instance, message) => instance[key]!(message);
  }
  return (instance, message, from, peer) => {
    let tried: Tried[] | undefined;
    for (const { key, validate } of data) {
      if (!validate) return wantsFrom ? instance[key]!(message, from ?? peer.remote) : instance[key]!(message);
      const verdict = validate(message);
      if (!verdict.issues) return wantsFrom ? instance[key]!(verdict.value, from ?? peer.remote) : instance[key]!(verdict.value);
      (tried ??= []).push({ method: key, refused: verdict });
      if (verdict.broken) break;
    }
    return new Unrouted(tried ?? []);
  };
}

/** Compiles a handler class for its sessions. */
export function planOf(blueprint: ConnectionBlueprint, build: Build): HandlerPlan {
  return {
    blueprint,
    name: blueprint.name,
    build,
    wantsOwner: build.wantsOwner === true || blueprint.parameters.some(({ kind }) => kind === 'worker'),
    data: dispatchOf(blueprint),
    reads: blueprint.data.length > 0,
  };
}
