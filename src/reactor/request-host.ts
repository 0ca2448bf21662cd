import type { CloseReason } from '../decorators/hook-types.js';
import type { Arrival } from '../endpoints/endpoint.js';
import type { SessionHost, SessionOrigin } from '../session/session-host.js';
import type { Settings } from '../session/settings.js';
import type { ListedItem } from '../unordered-list.js';

/** Something that the reactor counts, closes and waits for like a connection, and that is served in another way: a request of `http:`. */
export interface RequestScope extends ListedItem {
  readonly settings: Settings;
  /** No method of it is running. */
  readonly isIdle: boolean;
  /** Begins. It tells its host when it is over, once, not before this has returned. */
  open(): void;
  /** The application is closing: it may finish what it does, and begins nothing new. Never rejects. */
  shutdown(): Promise<void>;
  /** Ends it at once, without waiting for handlers or the client. */
  finishNow(reason: CloseReason): void;
}

/** Whose guest it is. */
export interface RequestHost extends SessionHost {
  /** The request has ended, `@OnClose` included. */
  onRequestScopeEnded(guest: RequestScope): void;
}

/** Makes a guest of what a scheme accepted. It may throw: then the arrival is still the caller's. */
export type MakeRequestScope = (host: RequestHost, settings: Settings, arrival: Arrival, origin: SessionOrigin) => RequestScope;

const MAKERS = new Map<string, MakeRequestScope>();

/** Registers a scheme whose endpoints accept requests, not sessions. */
export function registerRequestScopes(scheme: string, make: MakeRequestScope): void {
  MAKERS.set(scheme, make);
}

/** How a scheme's guests are made; undefined: it accepts transports. */
export function requestScopesOf(scheme: string): MakeRequestScope | undefined {
  return MAKERS.get(scheme);
}
