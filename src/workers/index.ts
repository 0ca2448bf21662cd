export type { CallSettings } from './call.js';
export { clientOf, type Client } from './client.js';
export type { BuiltProxy } from './front.js';
export { Owner, type Caller, type Owned, type OwnerHooks, type WorkerOrigin } from './owner.js';
export { WorkerProxy } from './proxy.js';
export { Workers } from './workers.js';
export { Workforce, type Leftovers, type WorkforceOptions } from './workforce.js';
