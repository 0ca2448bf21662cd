import { aroundClient } from '../around/around-client.js';
import { aroundsFor } from '../around/chain.js';
import type { Ctor } from '../blueprint/types.js';
import type { AroundFunction } from '../decorators/around-types.js';
import type { Owner } from '../workers/call/owner.js';
import type { Workforce } from '../workers/workforce.js';

/** Makes a client for an owner; `own`: what the class that injects it puts around its calls. */
export type MakeClient = (worker: Ctor | string, key: string | undefined, owner: Owner, own?: readonly AroundFunction[]) => object;

/** Clients of an application, inside what its modules put around calls. Without any it is the plain client. */
export function clientMaker(app: string, workforce: Workforce, around: readonly AroundFunction[]): MakeClient {
  return (worker, key, owner, own = []) => {
    const client = workforce.client(worker, owner, key);
    const fns = aroundsFor('call', [...around, ...own]);
    if (fns.length === 0) return client;
    const { name, tasks } = workforce.blueprint(worker);
    const streams = [...tasks.values()].map(task => [task.name, task.yields !== undefined] as const);
    return aroundClient(client, { app, worker: name, key, tasks: streams }, fns);
  };
}
