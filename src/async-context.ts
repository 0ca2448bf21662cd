import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import process from 'node:process';

/**
 * The values of AsyncLocalStorage that code runs with: `runInAsyncScope()` runs it so. Before Node 24 `enterWith()` in there changes this
 * very object, so user code that must not see each other's values gets one each.
 */
export type AsyncContext = AsyncResource;

/** The end of the resource is not reported: reporting it would cost work of the garbage collector. */
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

/** Makes something that callers share (a process, a pipe, a timer), so that its callbacks do not run in the context of the first caller. */
export function outsideOfCallers<T>(run: () => T): T {
  return emptyContext().runInAsyncScope(run);
}

/** A connection or request, as the log names it. */
export interface HandlerName {
  /** Its class. */
  readonly handler: string;
  /** Its number in this process, of which its id is made. */
  readonly serial: number;
}

/**
 * Names the handler that asynchronous code belongs to. From Node 24 on a value that travels so costs promises nothing; before, it would
 * make every promise of the process dearer, and is not there.
 */
const names = Number(process.versions.node.split('.')[0]) >= 24 ? new AsyncLocalStorage<HandlerName>() : undefined;

/** Code of a handler is to be run in its context, also where Node would run it in an equal one without the name. */
export const handlersAreNamed = names !== undefined;

/** Runs `create`, {@link currentContext} or {@link emptyContext}, so that {@link handlerName} tells `of` in the context it makes. */
export function namedContext(of: HandlerName, create: () => AsyncContext): AsyncContext {
  if (!names) return create();
  return create === emptyContext ? origin.runInAsyncScope(() => names.run(of, make)) : names.run(of, create);
}

/** The handler whose code is running, or has begun what is running; undefined outside of handlers, and before Node 24. */
export function handlerName(): HandlerName | undefined {
  return names?.getStore();
}
