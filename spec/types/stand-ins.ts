/** The classes of higher floors as the decorators see them: by the types that they carry. */
import type { WorkerClient } from '../../src/decorators/client-types.js';
import type { Ctor } from '../../src/decorators/ctor.js';
import type { ConnectArgs, DialArgs } from '../../src/decorators/dial-types.js';
import type { Endpoint } from '../../src/decorators/endpoint-types.js';
import type { peerTypes } from '../../src/decorators/peer-types.js';
import type { Instance, ProxiedWorker, proxyTypes } from '../../src/decorators/proxy-types.js';
import type { SpawnArgs, Spawned } from '../../src/decorators/spawn-types.js';
import type { StartArgs, WorkerHandle } from '../../src/decorators/worker-types.js';
import type { Framing } from '../../src/framing/framing.js';

export declare class Peer<In = any, Out = any, Data extends object = {}> {
  readonly [peerTypes]?: { readonly in: In; readonly out: Out; readonly data: Data };
  send(message: Out): boolean;
  setFraming(framing: Framing<In, Out>): void;
  readonly data: Data;
}
export declare abstract class WorkerProxy<W, O = unknown> {
  readonly [proxyTypes]: { readonly worker: W; readonly options: O };
  protected readonly worker: ProxiedWorker<W>;
  protected readonly own: WorkerClient<W>;
  protected readonly instances: readonly Instance<W>[];
  protected readonly options: O;
}
export declare class Reactor {
  connect<C extends Ctor>(handler: C, endpoint: Endpoint, ...options: ConnectArgs<C>): Promise<InstanceType<C>>;
  dial<C extends Ctor>(handler: C, endpoint: Endpoint, ...options: DialArgs<C>): { current?: InstanceType<C> };
}
export declare class Workers {
  start<C extends Ctor>(worker: C, ...options: StartArgs<C>): Promise<WorkerHandle>;
}
export declare class Master {
  send(data: unknown): Promise<void>;
}
export declare function spawn<C extends Ctor>(worker: C, ...options: SpawnArgs<C>): Promise<Spawned<C>>;
export declare function lines(): Framing<string>;
export declare function json<In = unknown, Out = In>(): Framing<In, Out>;
export declare function raw(): Framing<Buffer, Uint8Array | string>;
