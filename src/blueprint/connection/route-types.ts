import type { AnySchema, Validator } from '../../schema.js';

/** One segment of a route's path: text in the spelling of requests, a parameter, or the rest of the path. */
export type RouteSegment =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'param'; readonly name: string } | { readonly kind: 'rest' };

/** The parts of a request that a route may have a schema for, in the order in which they are looked at. */
export type RoutePart = 'params' | 'query' | 'headers' | 'body';

/** A method that answers requests of one HTTP method and one path. */
export interface RouteBlueprint {
  readonly key: PropertyKey;
  /** The decorator, 'Get' for instance, for messages. */
  readonly as: string;
  /** In capitals. */
  readonly method: string;
  /** As it was written. */
  readonly path: string;
  readonly segments: readonly RouteSegment[];
  /** The names of its parameters, in the order of the path; that of the rest is '*'. */
  readonly names: readonly string[];
  readonly schemas: Readonly<Partial<Record<RoutePart | 'response', AnySchema>>>;
  readonly validate: Readonly<Partial<Record<RoutePart | 'response', Validator>>>;
}

/** Routes and hooks that answer the requests of a class. */
export interface RequestsBlueprint {
  readonly routes: readonly RouteBlueprint[];
  /** The class has `@OnRequest`, for requests that no route answers. */
  readonly hasFallback: boolean;
}
