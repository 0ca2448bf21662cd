import type { PeerTls, Remote } from '../../endpoints/endpoint.js';
import type { AnySchema, SchemaIn, SchemaOut } from '../../schema.js';
import type { AnyFunction } from '../ctor.js';
import type { Method } from '../hook-types.js';
import type { Cookies } from './cookie-types.js';

/** The decorators of routes, as they are named in messages. */
export type RouteDecorator = 'Get' | 'Post' | 'Put' | 'Patch' | 'Delete' | 'Head' | 'Options' | 'Route';

/**
 * The schemas of a route, each any Standard Schema. What does not fit is answered with 400 and its `issues`; `response` is what the route
 * returns: properties that it does not name are left out, and what does not fit it is a 500 that is logged.
 */
export interface RouteSchemas {
  /** The parameters of the path, which are strings: `z.object({ id: z.coerce.number() })`. */
  params?: AnySchema | undefined;
  /** The query: strings, and lists of strings where a name comes several times. */
  query?: AnySchema | undefined;
  /** The header fields by their names in lower case. */
  headers?: AnySchema | undefined;
  /** The body: of JSON the document, of a form its fields. Another content type is answered with 415. */
  body?: AnySchema | undefined;
  /** The value that the route returns; of an async iterable each item. */
  response?: AnySchema | undefined;
}

/** The names in a path: `:id` is a segment, `*` the rest of the path. */
type NameIn<Segment extends string> = Segment extends `:${infer Name}` ? Name : Segment extends '*' ? '*' : never;
type NamesOf<Path extends string> = Path extends `${infer Segment}/${infer Rest}` ? NameIn<Segment> | NamesOf<Rest> : NameIn<Path>;
/** The parameters of a path where no schema says more: `{ id: string }` of '/orders/:id'. */
export type PathParams<Path extends string> = string extends Path
  ? Readonly<Record<string, string>>
  : { readonly [Name in NamesOf<Path>]: string };

/** The schema of a part; never where there is none. */
type SchemaOf<S, Part extends keyof RouteSchemas> = S extends { readonly [P in Part]: infer Given extends AnySchema } ? Given : never;
type Parsed<S, Part extends keyof RouteSchemas, Otherwise> = [SchemaOf<S, Part>] extends [never] ? Otherwise : SchemaOut<SchemaOf<S, Part>>;

/**
 * Argument of a route's method. `S` are its schemas, `Path` its path.
 * @example
 * const order = { params: z.object({ id: z.coerce.number() }), body: NewOrder };
 * @Put('/orders/:id', order) change({ params, body }: RouteInput<typeof order>) { … }
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- no schemas
export interface RouteInput<S extends RouteSchemas = {}, Path extends string = string> {
  /** The parameters of the path, decoded. */
  readonly params: Parsed<S, 'params', PathParams<Path>>;
  readonly query: Parsed<S, 'query', Readonly<Record<string, string | string[]>>>;
  readonly headers: Parsed<S, 'headers', Readonly<Record<string, string | string[] | undefined>>>;
  /** Without a schema: the document of a JSON body, the fields of a form; undefined for every other body, which `request` has. */
  readonly body: Parsed<S, 'body', unknown>;
  /** The web's `Request`; its body can be read although `body` has been. */
  readonly request: Request;
}

/** Return type of a route: a `Response`, or a value sent as JSON, text (strings), bytes, or item by item (async iterables). */
type Answer<S> = [SchemaOf<S, 'response'>] extends [never]
  ? unknown
  : SchemaIn<SchemaOf<S, 'response'>> | Response | AsyncIterable<SchemaIn<SchemaOf<S, 'response'>>>;

/** Second argument of handlers of requests: facts besides the request. */
export interface RouteAbout {
  readonly remote: Remote;
  readonly tls: PeerTls | undefined;
  /** Never reused in this process. */
  readonly id: string;
  /** The cookies of the request, and those that its answer sets. */
  readonly cookies: Cookies;
}

type RouteFunction<S extends RouteSchemas, Path extends string> = (
  input: RouteInput<S, Path>,
  about: RouteAbout,
) => Answer<S> | Promise<Answer<S>>;

/** Decorator returned by `@Get()` and the others: for a method that takes what the route has, and returns what its schema says. */
export type RouteMethod<S extends RouteSchemas, Path extends string> = Method<RouteFunction<S, Path> & AnyFunction>;
