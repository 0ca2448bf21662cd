import { runAround } from '../../around/chain.js';
import { aroundsOf } from '../../blueprint/arounds.js';
import type { AroundFunction } from '../../decorators/around-types.js';
import type { ConnectionBlueprint } from '../../blueprint/types.js';
import { refusalOf, type Tried } from '../../schema/refusal.js';
import { BoundaryError } from '../../errors.js';
import type { Remote } from '../../endpoints/endpoint.js';
import type { Build } from './handler-types.js';

/** Returned by `routeMessage` for a message that no `@OnData` accepts. */
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

/** Has a remote address: passed as `from` when the transport names no sender. */
export interface Located {
  readonly remote: Remote;
  readonly id: string;
  readonly state: { readonly signal?: AbortSignal | undefined };
}

/** A handler class, compiled once: what sessions need to know of it, in the shape in which they need it. */
export interface HandlerPlan {
  readonly blueprint: ConnectionBlueprint;
  /** The application that it belongs to, for events. */
  readonly app: string;
  readonly name: string;
  readonly build: Build;
  /** The class, or something it is made with, calls workers. */
  readonly wantsOwner: boolean;
  readonly routeMessage: MessageRouter;
  /** False: the class has no `@OnData`, and its connections are not read until piped. */
  readonly hasDataHandler: boolean;
}

/** Calls one method with a message. */
type Invoke = (instance: Methods, message: unknown, from: Remote | undefined, peer: Located) => unknown;

/** Runs the method inside the functions that stand around it. */
function insideOf(fns: readonly AroundFunction[], handler: string, key: PropertyKey, invoke: Invoke): Invoke {
  if (fns.length === 0) return invoke;
  const method = String(key);
  const name = `${handler}.${method}`;
  return (instance, message, from, peer) => {
    const connection = { id: peer.id, remote: from ?? peer.remote };
    const { signal } = peer.state;
    return runAround(fns, { kind: 'message', name, handler, method, instance, connection, message, signal }, () =>
      invoke(instance, message, from, peer),
    );
  };
}

/** Does as {@link dispatchOf}, for classes with functions around their methods. */
function dispatchAround(blueprint: ConnectionBlueprint): MessageRouter {
  const routes = blueprint.data.map(({ key, validate }) => {
    const wantsFrom = (blueprint.cls.prototype as Methods)[key]!.length > 1;
    const plain: Invoke = wantsFrom
      ? (instance, message, from, peer) => instance[key]!(message, from ?? peer.remote)
      : (instance, message) => instance[key]!(message);
    return { key, validate, invoke: insideOf(aroundsOf(blueprint.arounds, 'message', key), blueprint.name, key, plain) };
  });
  return (instance, message, from, peer) => {
    const tried: Tried[] = [];
    for (const { key, validate, invoke } of routes) {
      const verdict = validate ? validate(message) : { value: message };
      if (!verdict.issues) return invoke(instance, verdict.value, from, peer);
      tried.push({ method: key, refused: verdict });
      if (verdict.broken) break;
    }
    return new Unrouted(tried);
  };
}

function dispatchOf(blueprint: ConnectionBlueprint): MessageRouter {
  const { data, arounds } = blueprint;
  if (arounds.cls.length + arounds.methods.size > 0) return dispatchAround(blueprint);
  const first = data[0];
  // A second argument is made only for methods that take one.
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
export function planOf(blueprint: ConnectionBlueprint, build: Build, app = ''): HandlerPlan {
  return {
    blueprint,
    app,
    name: blueprint.name,
    build,
    wantsOwner: build.wantsOwner === true || blueprint.parameters.some(({ kind }) => kind === 'worker'),
    routeMessage: dispatchOf(blueprint),
    hasDataHandler: blueprint.data.length > 0,
  };
}
