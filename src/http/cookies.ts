import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseCookie, stringifySetCookie, type SerializeOptions } from 'cookie';
import type { CookieOptions, Cookies } from '../decorators/connection/cookie-types.js';
import { asError, UsageError } from '../errors.js';
import { checkGiven, duration, flag, oneOf, text, type Rule } from '../option-rules.js';
import { toMilliseconds } from '../units.js';
import { keepFields } from '../web/headers/merged-fields.js';

const date: Rule = { expects: 'a Date', fits: value => value instanceof Date && !Number.isNaN(value.getTime()) };
const RULES = {
  domain: text,
  path: text,
  maxAge: duration,
  expires: date,
  httpOnly: flag,
  secure: flag,
  sameSite: oneOf('strict', 'lax', 'none'),
  partitioned: flag,
  priority: oneOf('low', 'medium', 'high'),
} satisfies Record<keyof CookieOptions, Rule>;

/** The cookies of one request and its answer; parsing and writing is the package `cookie`'s. */
export class RequestCookies implements Cookies {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #secure: boolean;
  #parsed: Readonly<Record<string, string | undefined>> | undefined;

  /** @param secure the client asked over TLS. */
  constructor(request: IncomingMessage, response: ServerResponse, secure: boolean) {
    this.#request = request;
    this.#response = response;
    this.#secure = secure;
  }

  all(): Readonly<Record<string, string | undefined>> {
    return (this.#parsed ??= parseCookie(this.#request.headers.cookie ?? ''));
  }

  get(name: string): string | undefined {
    return this.all()[name];
  }

  set(name: string, value: string, options: CookieOptions = {}): void {
    checkGiven('cookies.set()', options, RULES);
    const { maxAge, sameSite = 'lax', path = '/', httpOnly = true, secure = this.#secure, ...others } = options;
    if (sameSite === 'none' && !secure)
      throw new UsageError("cookies.set(): sameSite 'none' needs secure: true, browsers drop it otherwise");
    const seconds = maxAge === undefined ? undefined : Math.floor(toMilliseconds(maxAge) / 1000);
    this.#send(name, value, { ...others, maxAge: seconds, sameSite, path, httpOnly, secure });
  }

  delete(name: string, options: Pick<CookieOptions, 'domain' | 'path'> = {}): void {
    checkGiven('cookies.delete()', options, { domain: text, path: text });
    this.#send(name, '', { path: '/', ...options, maxAge: 0, expires: new Date(0) });
  }

  #send(name: string, value: string, given: Readonly<Record<string, unknown>>): void {
    const response = this.#response;
    if (response.headersSent) throw new UsageError(`the cookie '${name}' comes too late: the answer has begun`);
    // Checked above; an attribute that is undefined is none.
    const attributes = Object.fromEntries(Object.entries(given).filter(([, is]) => is !== undefined)) as SerializeOptions;
    let line: string;
    try {
      line = stringifySetCookie(name, value, attributes);
    } catch (thrown) {
      throw new UsageError(`this cookie cannot be sent: ${asError(thrown).message}`);
    }
    keepFields(response);
    response.appendHeader('Set-Cookie', line);
  }
}
