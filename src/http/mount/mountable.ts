import type { IncomingMessage, ServerResponse } from 'node:http';
import { ConfigurationError } from '../../errors.js';

/** Node's way to serve requests: what `http.createServer` takes. Express applications are such functions. */
export type RequestListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** The web's way to serve requests: Hono, and whatever else has such a method. */
export interface FetchApp {
  /** Answers one request. */
  // oxlint-disable-next-line typescript/no-explicit-any -- each framework has its own further parameters
  fetch(request: Request, ...rest: any[]): Response | Promise<Response>;
}

/** Members of a Fastify instance that are used. */
export interface FastifyApp {
  /** Loads its plugins. */
  ready(): PromiseLike<unknown>;
  /** Serves one request. */
  // oxlint-disable-next-line typescript/no-explicit-any -- its requests may be those of HTTP/2, too
  routing(request: any, response: any): void;
  /** Ends its plugins; called when the application has closed its connections. */
  close(): PromiseLike<unknown>;
}

/** Members that tell an Express application from a function that makes one. */
export interface ExpressApp {
  /** Never called: the reactor listens. */
  // oxlint-disable-next-line typescript/no-explicit-any -- only looked at
  listen(...parts: any[]): unknown;
  /** Never called. */
  // oxlint-disable-next-line typescript/no-explicit-any -- only looked at
  use(...parts: any[]): unknown;
}

/** An application that can be mounted. */
// oxlint-disable-next-line typescript/no-explicit-any -- frameworks extend requests and responses, which a function's parameters do not allow
export type Mountable = ((request: any, response: any, ...rest: any[]) => any) | FetchApp | FastifyApp;

/** How an application wants to be asked. */
export type AppKind =
  | { readonly kind: 'listener'; readonly listener: RequestListener; readonly close?: () => PromiseLike<unknown> }
  | { readonly kind: 'fetch'; readonly app: FetchApp };

type Members = Readonly<Record<string, unknown>>;

function has(app: Members, ...names: readonly string[]): boolean {
  return names.every(name => typeof app[name] === 'function');
}

function refuse(wrong: string, remedy: string): never {
  throw new ConfigurationError([{ where: 'mount()', wrong, remedy }]);
}

/** An Express application is a function, as the factory of one is. */
export function isExpress(value: unknown): boolean {
  return typeof value === 'function' && has(value as unknown as Members, 'listen', 'use');
}

/**
 * Finds out what was mounted: a method `fetch` is the web's way (Hono); `routing` and `ready` are Fastify's, which is made ready; a
 * function is Node's (Express).
 * @throws ConfigurationError for anything else; what Fastify's plugins throw.
 */
export async function wayOf(app: unknown): Promise<AppKind> {
  const remedy = 'return a Fastify instance, an Express application, a Hono application, or a function (request, response)';
  if ((typeof app !== 'object' && typeof app !== 'function') || app === null) refuse(`its function returned ${String(app)}`, remedy);
  const members = app as Members;
  if (has(members, 'fetch')) return { kind: 'fetch', app: app as FetchApp };
  if (has(members, 'routing', 'ready', 'close')) {
    const fastify = app as FastifyApp;
    await fastify.ready();
    return { kind: 'listener', listener: (request, response) => fastify.routing(request, response), close: () => fastify.close() };
  }
  if (typeof app === 'function') return { kind: 'listener', listener: app as RequestListener };
  if (has(members, 'callback')) refuse('its function returned a Koa application', 'return app.callback()');
  return refuse('its function returned an object that is no application known here', remedy);
}
