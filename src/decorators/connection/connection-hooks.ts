import type { Remote } from '../../endpoints/endpoint.js';
import type { AnySchema, SchemaOut } from '../../schema.js';
import type { ChannelToken } from '../injection/channel-types.js';
import type { About, CloseReason, ExitStatus, Method } from '../hook-types.js';
import { onMember } from '../metadata.js';
import type { RouteAbout } from './route-types.js';

/** The connection is usable: accepted or connected, and past TLS for `tls:`. What it returns is sent. Settles before the first `@OnData`. */
export function OnConnect(): Method<() => unknown>;
export function OnConnect(...given: readonly unknown[]): Method<() => unknown> {
  return onMember({ decorator: 'OnConnect', given }, given);
}

/**
 * One decoded message, validated if a schema is given; on udp `from` says whose. What it returns is sent.
 * A message goes to the first method in declaration order (subclass before base) whose schema accepts it.
 * On a worker it is the mailbox of `ask` and `tell`; on a proxy it gets what workers send unasked.
 * @example @OnData(z.object({ op: z.literal('get'), key: z.string() })) get({ key }: GetCommand) { return this.store.get(key); }
 */
// oxlint-disable-next-line typescript/no-explicit-any -- the decorator cannot know the framing's type
export function OnData(): Method<(message: any, from: any) => unknown>;
export function OnData<S extends AnySchema>(schema: S): Method<(message: SchemaOut<S>, from: Remote) => unknown>;
export function OnData(...given: readonly unknown[]): Method<() => unknown> {
  return onMember({ decorator: 'OnData', schema: given[0] }, given);
}

/** A message published on a channel. What it returns is sent. */
export function OnChannel<T>(token: ChannelToken<T>): Method<(item: T) => unknown> {
  return onMember({ decorator: 'OnChannel', token });
}

/** STARTTLS has finished; runs before the first message after it. */
export function OnSecure(): Method<() => unknown>;
export function OnSecure(...given: readonly unknown[]): Method<() => unknown> {
  return onMember({ decorator: 'OnSecure', given }, given);
}

/** On a connection: called when the bytes waiting to be sent fall to the low watermark. */
export function OnDrain(): Method<() => unknown>;
export function OnDrain(...given: readonly unknown[]): Method<() => unknown> {
  return onMember({ decorator: 'OnDrain', given }, given);
}

/** Nothing arrived for `idleTimeout`: once per silence, and the connection stays. Without the hook it is closed. What it returns is sent. */
export function OnIdle(): Method<() => unknown>;
export function OnIdle(...given: readonly unknown[]): Method<() => unknown> {
  return onMember({ decorator: 'OnIdle', given }, given);
}

/** The peer has finished sending, with `allowHalfOpen: true`. */
export function OnEnd(): Method<() => unknown>;
export function OnEnd(...given: readonly unknown[]): Method<() => unknown> {
  return onMember({ decorator: 'OnEnd', given }, given);
}

/** The child of `exec()` ended. */
export function OnExit(): Method<(status: ExitStatus) => unknown>;
export function OnExit(...given: readonly unknown[]): Method<(status: ExitStatus) => unknown> {
  return onMember({ decorator: 'OnExit', given }, given);
}

/**
 * A handler threw, or a message was invalid. What it returns takes the failed message's place, and the connection lives;
 * without the hook the error is logged and the connection closes.
 * @example @OnError() explain(error: Error) { return `${error.name}: ${error.message}`; }
 */
export function OnError(): Method<(error: Error, about: About) => unknown>;
export function OnError(...given: readonly unknown[]): Method<(error: Error, about: About) => unknown> {
  return onMember({ decorator: 'OnError', given }, given);
}

/** The application is closing. What it returns is sent; a promise keeps this connection going until it settles. */
export function OnShutdown(): Method<() => unknown>;
export function OnShutdown(...given: readonly unknown[]): Method<() => unknown> {
  return onMember({ decorator: 'OnShutdown', given }, given);
}

/** The connection is over; exactly once, after the last handler. */
export function OnClose(): Method<(reason: CloseReason) => unknown>;
export function OnClose(...given: readonly unknown[]): Method<(reason: CloseReason) => unknown> {
  return onMember({ decorator: 'OnClose', given }, given);
}

/** For `http:` endpoints (`packet-ts/http`): one request, one instance, one `Response`. */
export function OnRequest(): Method<(request: Request, about: RouteAbout) => Response | Promise<Response>>;
export function OnRequest(...given: readonly unknown[]): Method<(request: Request, about: RouteAbout) => Response | Promise<Response>> {
  return onMember({ decorator: 'OnRequest', given }, given);
}
