export type { CallSettings } from './call/call.js';
export { clientOf, type Client } from './client.js';
export type { BuiltProxy } from './proxy/proxy-gate.js';
export { Owner, type Caller, type Owned, type OwnerHooks, type WorkerOrigin } from './call/owner.js';
export { WorkerProxy } from './proxy/proxy.js';
export { Workers } from './workers.js';
export { Workforce, type Leftovers, type WorkforceOptions } from './workforce.js';
