import { schemeNamed } from '../endpoints/endpoint.js';
import { checkMessageTypes } from './connection/messages.js';
import { schemeOf, type EndpointUse } from './connection/endpoints.js';
import type { Report } from './mistakes.js';
import type { RequestsBlueprint } from './connection/route-types.js';
import type { ConnectionBlueprint, EndpointBlueprint, HookName } from './types.js';

type Served = Pick<ConnectionBlueprint, 'cls' | 'hooks' | 'data' | 'routes'>;

/** Hooks of connections that exchange messages: a request has one answer, and no life besides. */
const OF_MESSAGES: Readonly<Partial<Record<HookName, string>>> = {
  connect: 'OnConnect',
  secure: 'OnSecure',
  drain: 'OnDrain',
  idle: 'OnIdle',
  end: 'OnEnd',
  exit: 'OnExit',
};

/** The routes and hooks that answer the requests of a class. */
export function requestsOf({ routes, hooks }: Pick<ConnectionBlueprint, 'routes' | 'hooks'>): RequestsBlueprint {
  return { routes, hasFallback: hooks.request.length > 0 };
}

/** Whether a class can serve what its endpoints bring: requests, or messages. */
export function checkServed(
  { cls, hooks, data, routes }: Served,
  endpoints: readonly EndpointBlueprint[],
  use: EndpointUse,
  report: Report,
): void {
  const isRequests = (endpoint: EndpointBlueprint): boolean => schemeNamed(schemeOf(endpoint))?.serves === 'requests';
  const requests = endpoints.find(isRequests);
  const messages = endpoints.find(endpoint => !isRequests(endpoint));
  if (messages && hooks.request.length > 0)
    report(use, `@OnRequest answers requests, and '${messages.url}' brings messages`, 'write an http: endpoint, or @OnData');
  if (messages) {
    for (const { key, as, path } of routes)
      report(key, `@${as}('${path}') answers requests, and '${messages.url}' brings messages`, 'write an http: endpoint, or @OnData');
  }
  checkMessageTypes({ cls, data }, endpoints, report);
  if (!requests) return;
  if (hooks.request.length === 0 && routes.length === 0)
    report(
      use,
      `'${requests.url}' brings requests, and there is no @OnRequest and no route`,
      "write a method with @OnRequest() or @Get('/…') of 'packet-ts/http'",
    );
  const remedy = 'a request is answered by @OnRequest; its end is @OnClose';
  for (const { key } of data) report(key, `@OnData cannot stand on a class that serves requests ('${requests.url}')`, remedy);
  for (const [hook, decorator] of Object.entries(OF_MESSAGES)) {
    for (const key of hooks[hook as HookName])
      report(key, `@${decorator} cannot stand on a class that serves requests ('${requests.url}')`, remedy);
  }
  if (requests.options['framing'] !== undefined)
    report(use, 'a framing reads messages, and requests are read by Node', 'leave `framing` out');
}
