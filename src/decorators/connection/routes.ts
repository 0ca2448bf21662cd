import { onMember } from '../metadata.js';
import type { RouteDecorator, RouteMethod, RouteSchemas } from './route-types.js';

function route<S extends RouteSchemas, Path extends string>(
  as: RouteDecorator,
  method: string,
  path: Path,
  schemas: S | undefined,
): RouteMethod<S, Path> {
  return onMember({ decorator: 'Route', as, method, path, schemas: schemas ?? {} });
}

/**
 * A route of an `http:` endpoint: answers GET, and HEAD without the body, of a path below that of the endpoint. `:name` stands for one
 * segment, a last `*` for the rest. The method gets `({ params, query, headers, body, request }, { remote, tls, id })` and returns a
 * `Response`, or a value: JSON, a string as text, `undefined` as 204, bytes, an async iterable item by item.
 * @example
 * @Get('/orders/:id', { params: z.object({ id: z.coerce.number() }), response: Order })
 * find({ params }: { params: { id: number } }) { return this.orders.find(params.id); }
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- no schemas
export function Get<const Path extends string, S extends RouteSchemas = {}>(path: Path, schemas?: S): RouteMethod<S, Path> {
  return route('Get', 'GET', path, schemas);
}

/**
 * A route that answers POST: as {@link Get}.
 * @example @Post('/orders', { body: NewOrder }) add({ body }: { body: z.infer<typeof NewOrder> }) { return this.orders.add(body); }
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- no schemas
export function Post<const Path extends string, S extends RouteSchemas = {}>(path: Path, schemas?: S): RouteMethod<S, Path> {
  return route('Post', 'POST', path, schemas);
}

/** A route that answers PUT: as {@link Get}. */
// oxlint-disable-next-line typescript/no-empty-object-type -- no schemas
export function Put<const Path extends string, S extends RouteSchemas = {}>(path: Path, schemas?: S): RouteMethod<S, Path> {
  return route('Put', 'PUT', path, schemas);
}

/** A route that answers PATCH: as {@link Get}. */
// oxlint-disable-next-line typescript/no-empty-object-type -- no schemas
export function Patch<const Path extends string, S extends RouteSchemas = {}>(path: Path, schemas?: S): RouteMethod<S, Path> {
  return route('Patch', 'PATCH', path, schemas);
}

/** A route that answers DELETE: as {@link Get}. */
// oxlint-disable-next-line typescript/no-empty-object-type -- no schemas
export function Delete<const Path extends string, S extends RouteSchemas = {}>(path: Path, schemas?: S): RouteMethod<S, Path> {
  return route('Delete', 'DELETE', path, schemas);
}

/** A route that answers HEAD, in the place of the GET route of that path: as {@link Get}. */
// oxlint-disable-next-line typescript/no-empty-object-type -- no schemas
export function Head<const Path extends string, S extends RouteSchemas = {}>(path: Path, schemas?: S): RouteMethod<S, Path> {
  return route('Head', 'HEAD', path, schemas);
}

/** A route that answers OPTIONS, which otherwise answers itself with the methods of the path: as {@link Get}. */
// oxlint-disable-next-line typescript/no-empty-object-type -- no schemas
export function Options<const Path extends string, S extends RouteSchemas = {}>(path: Path, schemas?: S): RouteMethod<S, Path> {
  return route('Options', 'OPTIONS', path, schemas);
}

/**
 * A route that answers any method that Node's parser knows: as {@link Get}.
 * @example @Route('PROPFIND', '/files/*') list({ params }: { params: { '*': string } }) { … }
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- no schemas
export function Route<const Path extends string, S extends RouteSchemas = {}>(
  method: string,
  path: Path,
  schemas?: S,
): RouteMethod<S, Path> {
  return route('Route', method, path, schemas);
}
