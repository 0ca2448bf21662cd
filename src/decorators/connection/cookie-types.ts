import type { Duration } from '../../units.js';

/** Attributes of a cookie. */
export interface CookieOptions {
  /** Default: the host that was asked. */
  domain?: string | undefined;
  /** Default '/'. */
  path?: string | undefined;
  /** How long it is kept. Default: until the browser is closed. */
  maxAge?: Duration | undefined;
  expires?: Date | undefined;
  /** Hidden from scripts of the page. Default true. */
  httpOnly?: boolean | undefined;
  /** Sent over TLS only. Default: true where the client asked over TLS. */
  secure?: boolean | undefined;
  /** Whether it comes with requests that other sites cause. Default 'lax'; 'none' needs `secure`. */
  sameSite?: 'strict' | 'lax' | 'none' | undefined;
  /** A jar of its own for each site that embeds this one. */
  partitioned?: boolean | undefined;
  priority?: 'low' | 'medium' | 'high' | undefined;
}

/** The cookies of a request, and of its answer. */
export interface Cookies {
  /** The value that the client sent, decoded; undefined: none. */
  get(name: string): string | undefined;
  /** All that the client sent. It has no prototype. */
  all(): Readonly<Record<string, string | undefined>>;
  /**
   * Sends a cookie with the answer: HttpOnly, SameSite=Lax, Path=/ and, over TLS, Secure, where `options` say nothing else. The value is encoded.
   * @throws UsageError for a name, path or domain that a header cannot have, and where the answer has begun.
   * @example about.cookies.set('session', id, { maxAge: '7d' });
   */
  set(name: string, value: string, options?: CookieOptions): void;
  /** Removes a cookie. `domain` and `path` must be those that it was set with. Throws as `set()` does. */
  delete(name: string, options?: Pick<CookieOptions, 'domain' | 'path'>): void;
}
