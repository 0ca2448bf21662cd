import type { RouteAbout } from './route-types.js';

/** Answer of a guard: a Response; undefined, where it lets the request through. */
type Guarded = Response | undefined | void;

/**
 * Stands before what answers a request: it refuses it with a `Response`, lets it through by returning nothing, or takes `next()` and
 * returns that response, changed or not.
 * @param next the answer as the client would get it; rejects with an error that would be a 500, 503 or 504.
 * @example const signedIn: UseFunction = async request =>
 *   (await users.find(request.headers.get('authorization'))) ? undefined : new Response('who are you?', { status: 401 });
 */
export type UseFunction = (request: Request, next: () => Promise<Response>, about: RouteAbout) => Guarded | Promise<Guarded>;
