import '../../src/endpoints/index.js';
import { readConnection, valid } from '../../src/blueprint/index.js';
import type { Ctor } from '../../src/decorators/ctor.js';
import { realClock, type Clock } from '../../src/clock.js';
import type { PerEndpoint } from '../../src/decorators/connection/endpoint-types.js';
import { Peer, Reactor, ReactorCore, type Build, type Listening, type Where } from '../../src/reactor/index.js';
import { FakeClock } from '../../src/testing/fake-clock.js';
import type { Owner } from '../../src/workers/call/owner.js';

/** A reactor with the smallest container that will do: a constructor parameter is the peer, the reactor, or for a client its owner. */
export interface Rig {
  readonly core: ReactorCore;
  readonly reactor: Reactor;
  /** Every handler that was made, in order. */
  readonly made: object[];
  /** Of classes that inject clients, by handler. */
  readonly owners: Map<object, Owner>;
  listen(cls: Ctor, where?: Where, options?: PerEndpoint<unknown, unknown>): Promise<Listening>;
  /** Destroys what is left. */
  close(): Promise<void>;
}

let names = 0;

export function rig(clock: Clock = realClock): Rig {
  const made: object[] = [];
  const owners = new Map<object, Owner>();
  const build = (blueprint: {
    readonly cls: Ctor;
    readonly parameters: readonly { readonly kind: string; readonly token?: unknown }[];
  }): Build => {
    // Only concrete classes are given to it.
    const cls = blueprint.cls as new (...args: unknown[]) => object;
    return (peer, owner) => {
      const parameters = blueprint.parameters.map(({ kind, token }) => {
        if (kind === 'worker') return owner;
        if (token === Peer) return peer;
        return token === Reactor ? reactor : undefined;
      });
      const instance = new cls(...parameters);
      made.push(instance);
      if (owner) owners.set(instance, owner);
      const dispose = (instance as { dispose?: () => void }).dispose;
      return { instance, dispose: () => dispose?.call(instance) };
    };
  };
  const core = new ReactorCore({ clock, handlers: { blueprintOf: cls => valid(readConnection(cls)), build } });
  const reactor = new Reactor(core);
  return {
    core,
    reactor,
    made,
    owners,
    listen: (cls, where = `memory:spec-${++names}`, options = {}) => reactor.listen(cls, where, options),
    close: async () => {
      await core.stopListening();
      core.destroy();
      // Handlers that never settle are waited for until the clock says it is enough.
      if (clock instanceof FakeClock) await clock.advance('10s');
      await core.whenEmpty();
    },
  };
}
