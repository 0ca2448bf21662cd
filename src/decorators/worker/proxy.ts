import type { Ctor } from '../ctor.js';
import { onClass } from '../metadata.js';
import type { ProxyShape } from './proxy-types.js';

/**
 * Makes a `WorkerProxy` the class that stands in front of a worker in the master: one instance per worker and key.
 * @example @Proxy() class Cache extends WorkerProxy<Search> { look(query: Query, call: ProxyCall) { return this.worker.look(query, call); } }
 */
export function Proxy(): (target: Ctor<ProxyShape>) => void {
  return onClass(() => ({ kind: 'proxy' }));
}
