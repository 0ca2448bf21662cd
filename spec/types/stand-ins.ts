/** What the floors above declare, as the decorators see it, until those are there. */
import type { Ctor } from '../../src/decorators/ctor.js';
import type { ConnectArgs, DialArgs } from '../../src/decorators/dial-types.js';
import type { Endpoint } from '../../src/decorators/endpoint-types.js';
import type { SpawnArgs, Spawned } from '../../src/decorators/spawn-types.js';

export declare class Reactor {
  connect<C extends Ctor>(handler: C, endpoint: Endpoint, ...options: ConnectArgs<C>): Promise<InstanceType<C>>;
  dial<C extends Ctor>(handler: C, endpoint: Endpoint, ...options: DialArgs<C>): { current?: InstanceType<C> };
}
export declare class Master {
  send(data: unknown): Promise<void>;
}
export declare function spawn<C extends Ctor>(worker: C, ...options: SpawnArgs<C>): Promise<Spawned<C>>;
