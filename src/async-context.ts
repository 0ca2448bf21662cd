import { AsyncResource } from 'node:async_hooks';

/**
 * The values of AsyncLocalStorage that code runs with: `runInAsyncScope()` runs it so. Before Node 24 `enterWith()` in there changes this very
 * object, so user code that must not see each other's values gets one each.
 */
export type AsyncContext = AsyncResource;

/** Nobody listens to the end of it: without, the garbage collector would have to tell. */
const OPTIONS = { requireManualDestroy: true } as const;

function make(): AsyncContext {
  return new AsyncResource('PACKET_TS', OPTIONS);
}

/** The context in which the package was loaded: no request, no message. No user code ever runs in it directly. */
const origin = make();

/** The current context, to be entered again later. */
export const currentContext = make;

/** An empty context, where nothing has been entered that a request, a message or a call has. */
export function emptyContext(): AsyncContext {
  return origin.runInAsyncScope(make);
}

/** Makes something that callers share (a process, a pipe, a timer): its callbacks have nothing of the caller who happens to need it first. */
export function outsideOfCallers<T>(run: () => T): T {
  return emptyContext().runInAsyncScope(run);
}
