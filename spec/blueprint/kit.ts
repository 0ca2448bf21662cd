import type { Endpoint } from '../../src/decorators/connection/endpoint-types.js';
import type { proxyTypes } from '../../src/decorators/worker/proxy-types.js';
import { WORKER_PROXY } from '../../src/blueprint/worker/worker-proxy.js';
import { registerScheme } from '../../src/endpoints/endpoint.js';
import type { Mistake } from '../../src/errors.js';

const never = (): Promise<never> => Promise.reject(new Error('a blueprint opens nothing'));

/** A scheme of these specs alone: reading must not depend on which endpoints exist. */
registerScheme({
  name: 'spec',
  options: ['colour'],
  listen: never,
  connect: never,
  check: ({ url }) => (url === 'spec:bad' ? 'it is bad' : undefined),
});
registerScheme({ name: 'spec-out', connect: never });

/** An endpoint that can be listened on and connected to. */
export const HERE = 'spec:here' as Endpoint;
/** One that has its own mistakes. */
export const BAD = 'spec:bad' as Endpoint;
/** One that only goes out. */
export const OUT = 'spec-out:there' as Endpoint;

/** What stands for `WorkerProxy`: the floors below know it by its mark. */
export class ProxyBase<W, O = unknown> {
  static readonly [WORKER_PROXY] = true;
  declare readonly [proxyTypes]: { readonly worker: W; readonly options: O };
}

/** Mistakes as the developer reads them, without the remedies. */
export function told(mistakes: readonly Mistake[]): readonly string[] {
  return mistakes.map(({ where, member, wrong }) => `${where}${member === undefined ? '' : `.${member}`}: ${wrong}`);
}

/** What only JavaScript can write: options that the types refuse. */
export function untyped(written: unknown): never {
  return written as never;
}
