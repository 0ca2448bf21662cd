import type { RouteBlueprint, RouteSegment } from '../../blueprint/connection/route-types.js';
import { routeKey } from '../../blueprint/connection/route-path.js';

/** The routes of one path, by method. */
type Methods = Map<string, RouteBlueprint>;

/** A segment of the paths of all routes. */
class Segment {
  readonly texts = new Map<string, Segment>();
  param: Segment | undefined;
  /** Methods of paths that end with '*' here. */
  rest: Methods | undefined;
  /** Methods of paths that end here. */
  end: Methods | undefined;
}

/** A route for a request, and the values of its parameters as they stand in the path. */
export interface RouteMatch {
  readonly route: RouteBlueprint;
  readonly values: readonly string[];
}

type Wanted = (methods: Methods) => RouteBlueprint | undefined;

/**
 * Finds the route for a path in the one spelling that all parts of the server compare. Segment by segment text is tried before a
 * parameter, a parameter before the rest; a route of another method does not count. Each segment of the tree is looked at once at most.
 */
export class Router {
  /** The path of the endpoint, without a last '/'. */
  readonly #base: string;
  readonly #root = new Segment();
  /** Paths without parameters, as a whole. */
  readonly #plain = new Map<string, Methods>();
  readonly #keys = new Set<string>();

  /** @param base the path of the endpoint; undefined: every path is its own. */
  constructor(routes: readonly RouteBlueprint[], base: string | undefined) {
    this.#base = (base ?? '').replace(/\/$/, '');
    for (const route of routes) {
      this.#keys.add(routeKey(route));
      this.#add(route);
    }
  }

  #add(route: RouteBlueprint): void {
    let at = this.#root;
    for (const segment of route.segments) {
      if (segment.kind === 'rest') {
        (at.rest ??= new Map()).set(route.method, route);
        return;
      }
      if (segment.kind === 'param') at = at.param ??= new Segment();
      else {
        let next = at.texts.get(segment.text);
        if (!next) at.texts.set(segment.text, (next = new Segment()));
        at = next;
      }
    }
    const methods = (at.end ??= new Map<string, RouteBlueprint>());
    methods.set(route.method, route);
    if (route.names.length > 0) return;
    const path = `${this.#base}${route.segments.map(segment => `/${segment.kind === 'text' ? segment.text : ''}`).join('')}`;
    this.#plain.set(path, methods);
    // An endpoint answers its path with and without a last '/'.
    if (path === `${this.#base}/`) this.#plain.set(this.#base, methods);
  }

  /** Both have a route for the same method and path. */
  overlaps(other: Router): boolean {
    for (const key of this.#keys) if (other.#keys.has(key)) return true;
    return false;
  }

  /** The route that answers; undefined: none does. HEAD is answered by GET where nothing else is written. */
  match(method: string, path: string): RouteMatch | undefined {
    const wanted: Wanted = methods => methods.get(method) ?? (method === 'HEAD' ? methods.get('GET') : undefined);
    const plain = this.#plain.get(path);
    const route = plain && wanted(plain);
    return route ? { route, values: [] } : this.#find(path, wanted);
  }

  /** The methods that a path has routes for; empty: it is unknown. */
  methodsAt(path: string): ReadonlySet<string> {
    const found = new Set<string>();
    const collect: Wanted = methods => {
      for (const method of methods.keys()) found.add(method);
      return undefined;
    };
    const plain = this.#plain.get(path);
    if (plain) collect(plain);
    this.#find(path, collect);
    return found;
  }

  #find(path: string, wanted: Wanted): RouteMatch | undefined {
    const from = this.#base.length;
    if (path.charCodeAt(from) !== 0x2f) return undefined;
    const values: string[] = [];
    const route = follow(this.#root, path, from + 1, values, wanted);
    return route && { route, values };
  }
}

/** Follows the path from `from` on; `values` are those of the parameters passed. */
function follow(at: Segment, path: string, from: number, values: string[], wanted: Wanted): RouteBlueprint | undefined {
  const slash = path.indexOf('/', from);
  const text = slash < 0 ? path.slice(from) : path.slice(from, slash);
  const next = at.texts.get(text);
  let route = next && step(next, path, slash, values, wanted);
  if (route) return route;
  if (at.param && text !== '') {
    values.push(text);
    route = step(at.param, path, slash, values, wanted);
    if (route) return route;
    values.pop();
  }
  route = at.rest && wanted(at.rest);
  if (route) values.push(path.slice(from));
  return route;
}

function step(at: Segment, path: string, slash: number, values: string[], wanted: Wanted): RouteBlueprint | undefined {
  if (slash >= 0) return follow(at, path, slash + 1, values, wanted);
  return at.end && wanted(at.end);
}

const SPECIFIC: Readonly<Record<RouteSegment['kind'], number>> = { text: 2, param: 1, rest: 0 };

/** Whether the first of two routes that fit one path would be tried before the other. */
export function isMoreSpecific(route: RouteBlueprint, than: RouteBlueprint): boolean {
  for (const [at, { kind }] of route.segments.entries()) {
    const other = than.segments[at];
    if (other && kind !== other.kind) return SPECIFIC[kind] > SPECIFIC[other.kind];
  }
  return false;
}

/**
 * The parameters of a path by name, decoded: each value by itself, which chooses nothing any more.
 * @returns undefined where an escape is no UTF-8.
 */
export function paramsOf({ route, values }: RouteMatch): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  if (values.length === 0) return params;
  for (const [at, name] of route.names.entries()) {
    const value = values[at]!;
    try {
      params[name] = value.includes('%') ? decodeURIComponent(value) : value;
    } catch {
      return undefined;
    }
  }
  return params;
}
