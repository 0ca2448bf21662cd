import { realRequest } from './request.js';
import { installLightResponse } from './response.js';

/** Marks a `Request` that knows light ones; registered, so that copies of the package do it once. */
const KNOWS = Symbol.for('packet-ts.knows-light-requests');

type Input = ConstructorParameters<typeof Request>[0];

/** Lets `new Request()` and `fetch()` take light requests, which have none of the private state that those look for. */
function installRequest(): void {
  const { Request: Real, fetch: realFetch } = globalThis;
  if (KNOWS in Real) return;
  class Knowing extends Real {
    static readonly [KNOWS] = true;

    constructor(input: Input, init?: RequestInit) {
      super(realRequest(input), init);
    }

    static override [Symbol.hasInstance](this: unknown, value: unknown): boolean {
      // Those made before, and light ones, are of the web's own class; subclasses have instances of their own.
      return Function.prototype[Symbol.hasInstance].call(this === Knowing ? Real : this, value);
    }
  }
  Object.defineProperty(Knowing, 'name', { value: 'Request', configurable: true });
  const knowing = function fetch(input: Input, init?: RequestInit): Promise<Response> {
    return realFetch(realRequest(input), init);
  };
  const how = { writable: true, configurable: true } as const;
  Object.defineProperty(globalThis, 'Request', { value: Knowing, ...how, enumerable: false });
  Object.defineProperty(globalThis, 'fetch', { value: knowing, ...how, enumerable: true });
}

/**
 * Puts classes in the place of the web's own `Request` and `Response`, and of `fetch()`, that do the same and make no stream where none is asked
 * for. Done once a process, when the first endpoint of requests listens; docs/decisions/light-web.md says why.
 */
export function installLightWeb(): void {
  installRequest();
  installLightResponse();
}
