import type { IncomingMessage } from 'node:http';
import { hasBody, type BodyLimits } from '../incoming.js';
import { parseJson } from '../received-request.js';

/** The key of what a light request makes the web's own request of; registered, so that copies of the package know each other's. */
const REAL = Symbol.for('packet-ts.real-request');

/** Marks a global `Request` that can be made of light ones; registered, so that copies of the package do it once. */
export const KNOWS = Symbol.for('packet-ts.knows-light-requests');

/** A request that has come in, as far as the web's view of it is made of it. */
export interface RequestSource {
  readonly incoming: IncomingMessage;
  /** `scheme://host`. */
  readonly origin: string;
  readonly signal: AbortSignal;
  readonly limits: BodyLimits;
  /** The whole body, read now. Rejects with LimitError, ConnectionClosedError. */
  whole(): Promise<Buffer>;
  /** The web's own request, whose body is read as it is asked for, or `body` where it has been read. */
  real(url: string, headers: Headers, body: Uint8Array | undefined): Request;
}

/** A target that URL writes as it is. */
const AS_IT_IS = /^[\w\-.~!$&()*+,;=:@/?%]*$/;

function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** Its own bytes: a Buffer may lie in a pool that others share. */
function bufferOf(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/**
 * The web's `Request`, of which each part is made when it is asked for. A body that is read as a whole needs no stream. Whatever is asked
 * for beyond that makes the web's own request, once.
 */
class LightRequest {
  readonly #source: RequestSource;
  #url: string | undefined;
  #headers: Headers | undefined;
  #real: Request | undefined;
  /** The body has been asked for as a whole, and there is nothing more of it. */
  #isUsed = false;

  constructor(source: RequestSource) {
    this.#source = source;
  }

  /** The web's own. */
  [REAL](): Request {
    if (!this.#real) {
      const read = this.#isUsed ? new Uint8Array() : undefined;
      this.#real = this.#source.real(this.url, this.headers, read);
      // Used here is used there.
      if (this.#isUsed) void this.#real.text();
    }
    return this.#real;
  }

  /** The web's own, if something has asked for it. */
  get made(): Request | undefined {
    return this.#real;
  }

  get method(): string {
    return this.#source.incoming.method ?? 'GET';
  }
  get url(): string {
    if (this.#url === undefined) {
      const { origin, incoming } = this.#source;
      const { url = '/' } = incoming;
      // Joined, not resolved: '//other.host/' is a path here.
      this.#url = AS_IT_IS.test(url) ? origin + url : new URL(origin + url).href;
    }
    return this.#url;
  }
  get headers(): Headers {
    if (!this.#headers) {
      const { rawHeaders } = this.#source.incoming;
      this.#headers = new Headers();
      for (let i = 0; i + 1 < rawHeaders.length; i += 2) this.#headers.append(rawHeaders[i]!, rawHeaders[i + 1]!);
    }
    return this.#headers;
  }
  get signal(): AbortSignal {
    return this.#source.signal;
  }
  get body(): Request['body'] {
    return this[REAL]().body;
  }
  get bodyUsed(): boolean {
    return this.#isUsed || (this.#real?.bodyUsed ?? false);
  }

  text(): Promise<string> {
    return this.#whole()?.then(textOf) ?? this[REAL]().text();
  }
  json(): Promise<unknown> {
    const { maxMessageSize } = this.#source.limits;
    return this.#whole()?.then(bytes => parseJson(textOf(bytes), maxMessageSize)) ?? this[REAL]().json();
  }
  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#whole()?.then(bufferOf) ?? this[REAL]().arrayBuffer();
  }
  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.arrayBuffer());
  }
  blob(): ReturnType<Request['blob']> {
    return this[REAL]().blob();
  }
  formData(): ReturnType<Request['formData']> {
    return this[REAL]().formData();
  }
  clone(): Request {
    return this[REAL]().clone();
  }

  /** The body as a whole, once; undefined: the web's own has it, or has to say that it is used. */
  #whole(): Promise<Buffer> | undefined {
    if (this.#real || this.#isUsed || !hasBody(this.#source.incoming)) return undefined;
    this.#isUsed = true;
    return this.#source.whole();
  }
}

/** Properties that are looked up on the web's own request. */
const OTHERS = [
  'cache',
  'credentials',
  'destination',
  'duplex',
  'integrity',
  'isHistoryNavigation',
  'isReloadNavigation',
  'keepalive',
  'mode',
  'redirect',
  'referrer',
  'referrerPolicy',
] as const;
for (const name of OTHERS) {
  Object.defineProperty(LightRequest.prototype, name, {
    get(this: LightRequest) {
      return Reflect.get(this[REAL](), name) as unknown;
    },
    configurable: true,
  });
}
Object.setPrototypeOf(LightRequest.prototype, Request.prototype);

/** The web's view of a request that has come in: the web's own, or a light one where `useLightWeb()` has been called. */
export function webRequest(source: RequestSource): Request {
  const light = new LightRequest(source);
  if (!(KNOWS in Request)) return light[REAL]();
  const request: unknown = light;
  return request as Request;
}

/** The web's own request, in the place of a light one; anything else as it is. */
export function realRequest<T>(input: T): T | Request {
  if (!(input instanceof Request) || !(REAL in input)) return input;
  return (input as { readonly [REAL]: () => Request })[REAL]();
}

/** The web's own request behind this one, which reads its body; undefined: a light one that has not made it. */
export function madeRequest(request: Request): Request | undefined {
  return REAL in request ? (request as unknown as LightRequest).made : request;
}
