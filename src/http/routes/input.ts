import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { RouteBlueprint, RoutePart } from '../../blueprint/connection/route-types.js';
import { kindOfSchema, listsOf } from '../../blueprint/connection/schema-shape.js';
import { BoundaryError } from '../../errors.js';
import { hasBody, type BodyLimits } from '../../web/incoming.js';
import { textAnswer, type PlainAnswer } from '../plain-answer.js';
import { unreadable } from '../../web/received-request.js';
import { isSameHost } from '../../web/request/same-host.js';
import { fieldsOf, formatFor, readContent, type BodyFormat } from './content.js';
import { paramsOf, type RouteMatch } from '../../web/routes/router.js';

const NONE: ReadonlySet<string> = new Set();

/** Argument of a route's method. */
export class RouteRequest {
  readonly #source: RouteSource;
  readonly params: unknown;
  readonly query: unknown;
  readonly headers: unknown;
  readonly body: unknown;

  constructor(params: unknown, query: unknown, headers: unknown, body: unknown, source: RouteSource) {
    this.params = params;
    this.query = query;
    this.headers = headers;
    this.body = body;
    this.#source = source;
  }

  /** Made when it is asked for. */
  get request(): Request {
    return this.#source.request();
  }
}

/** A request, as far as a route's input is made of it. */
export interface RouteSource {
  readonly incoming: IncomingMessage;
  /** The host that the client asked for. */
  readonly requestedHost: string;
  readonly limits: BodyLimits;
  request(): Request;
  /** Whether the option `cors` names that origin; '*' names none. */
  isAllowedOrigin(origin: string): boolean;
  /** The whole body. Rejects with LimitError, ConnectionClosedError. */
  whole(): Promise<Buffer>;
}

/** Facts of a route's schemas, found out once. */
interface Compiled {
  readonly queryLists: ReadonlySet<string>;
  readonly bodyLists: ReadonlySet<string>;
  readonly bodyKind: string | undefined;
}
const COMPILED = new WeakMap<RouteBlueprint, Compiled>();

function compiled(route: RouteBlueprint): Compiled {
  let known = COMPILED.get(route);
  if (!known) {
    const { query, body } = route.schemas;
    known = {
      queryLists: query ? listsOf(query) : NONE,
      bodyLists: body ? listsOf(body) : NONE,
      bodyKind: body && kindOfSchema(body),
    };
    COMPILED.set(route, known);
  }
  return known;
}

/** A part as its schema leaves it. Throws BoundaryError. */
function checked(part: RoutePart, value: unknown, { validate }: RouteBlueprint): unknown {
  const verdict = validate[part]?.(value);
  if (!verdict) return value;
  if (verdict.issues) throw new BoundaryError({ direction: 'input', ...verdict, what: part });
  return verdict.value;
}

function queryOf({ url = '' }: IncomingMessage, { queryLists }: Compiled): unknown {
  const mark = url.indexOf('?');
  return mark < 0 ? {} : fieldsOf(url.slice(mark + 1), queryLists, 'query');
}

/** Content that a form of another page may send without asking: then its origin must be this host. */
function isForeignForm({ headers }: IncomingMessage, source: RouteSource, format: BodyFormat): boolean {
  const { origin } = headers;
  return format !== 'json' && origin !== undefined && !isSameHost(origin, source.requestedHost) && !source.isAllowedOrigin(origin);
}

/**
 * Makes what a route is given of a request: each part as its schema leaves it, the body last, so that nothing is read for a request that
 * is wrong anyway. An answer in its place refuses the request.
 * @throws BoundaryError, naming the part; what reading the body rejects with.
 */
export function inputOf(match: RouteMatch, source: RouteSource): RouteRequest | PlainAnswer | Promise<RouteRequest> {
  const { route } = match;
  const { incoming } = source;
  const known = compiled(route);
  const params = paramsOf(match);
  if (!params) throw unreadable('an escape in the path is no UTF-8', undefined, 'params');
  const given = checked('params', params, route);
  const query = checked('query', queryOf(incoming, known), route);
  const headers = checked('headers', incoming.headers satisfies IncomingHttpHeaders, route);
  if (!hasBody(incoming)) return new RouteRequest(given, query, headers, checked('body', undefined, route), source);
  const format = formatFor(incoming, known.bodyKind);
  if (format === undefined || (!route.schemas.body && format === 'bytes')) {
    if (route.schemas.body) return textAnswer(415, 'a body of this content type is not taken here: send application/json');
    return new RouteRequest(given, query, headers, undefined, source);
  }
  if (isForeignForm(incoming, source, format)) return textAnswer(403, 'forms of another origin are not taken here');
  return source.whole().then(bytes => {
    const body = checked('body', readContent(bytes, format, { lists: known.bodyLists, limit: source.limits.maxMessageSize }), route);
    return new RouteRequest(given, query, headers, body, source);
  });
}
