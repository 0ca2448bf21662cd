/**
 * Requests as connections, `http://host:port` and `https://…`: one instance of the handler for each.
 * @example
 * @Connection({ listen: 'http://127.0.0.1:8080' })
 * class Hello { @OnRequest() hello(request: Request) { return new Response(`you asked for ${request.url}`); } }
 * @module packet-ts/http
 */
import './scheme.js';

export { OnRequest } from '../decorators/connection/connection-hooks.js';
export type { PathParams, RouteInput, RouteSchemas } from '../decorators/connection/route-types.js';
export { Delete, Get, Head, Options, Patch, Post, Put, Route } from '../decorators/connection/routes.js';
export { Use } from '../decorators/connection/use.js';
export type { CookieOptions, Cookies } from '../decorators/connection/cookie-types.js';
export type { CorsOptions } from '../decorators/connection/cors-types.js';
export type { UseFunction } from '../decorators/connection/use-types.js';
export { files, sendFile, type FileOptions, type FilesOptions } from './files/files.js';
export type { RequestAbout } from './exchange.js';
export { healthPage, type HealthPageOptions, type MetricsPage } from './mount/health-page.js';
export { mount, type MountInject, type MountOptions } from './mount/mount.js';
export { useLightWeb } from '../web/light/install.js';
export type { ExpressApp, FastifyApp, FetchApp, Mountable, RequestListener } from './mount/mountable.js';
