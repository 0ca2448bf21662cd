/** The key of a response's whole answer: registered, so that copies of the package write each other's responses without a stream. */
const WHOLE = Symbol.for('packet-ts.whole-response');

/** A response whose stream has not been asked for: everything that is to be sent. */
export interface WholeResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string | Uint8Array | undefined;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/i;
/** A header value that needs neither trimming nor a closer look. */
const VALUE = /^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/;
/** Statuses that cannot have a body. */
const BODILESS: ReadonlySet<number> = new Set([101, 204, 205, 304]);
const TEXT = 'text/plain;charset=UTF-8';
const JSON_TYPE = 'application/json';

type Body = ConstructorParameters<typeof Response>[0];
type Fields = Record<string, string>;

/** Header fields of an object, names in lower case; undefined: the web's own `Headers` must look at them. */
function plainFields(given: unknown): Fields | undefined {
  const fields: Fields = {};
  if (given === undefined) return fields;
  if (typeof given !== 'object' || given === null) return undefined;
  const prototype: unknown = Object.getPrototypeOf(given);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (typeof value !== 'string' || !VALUE.test(value) || !TOKEN.test(name)) return undefined;
    const lower = name.toLowerCase();
    // Two spellings of a name would be joined, and a cookie is never.
    if (lower in fields || lower === 'set-cookie') return undefined;
    fields[lower] = value;
  }
  return fields;
}

/** A body that needs no stream; undefined: it does. */
function plainBody(body: unknown): { readonly content: string | Uint8Array | undefined } | undefined {
  if (body === null || body === undefined) return { content: undefined };
  if (typeof body === 'string') return { content: body };
  // Copied, as the web's own `Response` does it: the caller may go on writing.
  if (body instanceof ArrayBuffer) return { content: new Uint8Array(body.slice(0)) };
  return body instanceof Uint8Array ? { content: Uint8Array.prototype.slice.call(body) } : undefined;
}

/** The response that can be sent as it is given; undefined: the web's own `Response` must be made of it, or refuse it. */
function wholeOf(body: unknown, init: unknown): WholeResponse | undefined {
  if (init !== undefined && (typeof init !== 'object' || init === null)) return undefined;
  const { status = 200, statusText = '', headers } = (init ?? {}) as Readonly<Record<keyof ResponseInit, unknown>>;
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599 || statusText !== '') return undefined;
  const plain = plainBody(body);
  if (!plain || (plain.content !== undefined && BODILESS.has(status))) return undefined;
  const fields = plainFields(headers);
  if (!fields) return undefined;
  if (typeof plain.content === 'string' && fields['content-type'] === undefined) fields['content-type'] = TEXT;
  return { status, headers: fields, body: plain.content };
}

/** Header fields as Node takes them. */
export function recordOf(headers: Headers): Record<string, string | string[]> {
  const record: Record<string, string | string[]> = {};
  for (const [name, value] of headers) if (name !== 'set-cookie') record[name] = value;
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) record['set-cookie'] = cookies;
  return record;
}

/** The header fields of a whole response, for the web's own class. */
function headersOf({ headers }: WholeResponse): Headers {
  return new Headers(headers);
}

/** Makes a class that stands for the web's own `Response`: it has a stream only once that is asked for. */
function makeClass(Real: typeof Response): unknown {
  class Light {
    /** Undefined: only the real one knows. */
    #whole: WholeResponse | undefined;
    /** There once they have been asked for: they count from then on. */
    #headers: Headers | undefined;
    /** There once more has been asked for than a whole answer has. */
    #real: Response | undefined;
    #isSent = false;

    constructor(body?: Body, init?: ResponseInit) {
      this.#whole = wholeOf(body, init);
      if (!this.#whole) this.#real = new Real(body, init);
    }

    /** The whole answer, to be sent once; undefined: it is a stream, or was sent before. */
    [WHOLE](): WholeResponse | undefined {
      if (this.#real || this.#isSent || !this.#whole) return undefined;
      this.#isSent = true;
      const { status, body } = this.#whole;
      return this.#headers ? { status, headers: recordOf(this.#headers), body } : this.#whole;
    }

    /** The web's own. */
    #made(): Response {
      if (!this.#real) {
        const { status, body } = this.#whole!;
        this.#real = new Real(body === undefined ? null : bodyInit(body), { status, headers: this.headers });
        if (this.#isSent && body !== undefined) void this.#real.arrayBuffer();
      }
      return this.#real;
    }

    get headers(): Headers {
      return (this.#headers ??= this.#real ? this.#real.headers : headersOf(this.#whole!));
    }
    get status(): number {
      return this.#whole?.status ?? this.#real!.status;
    }
    get ok(): boolean {
      return this.status >= 200 && this.status <= 299;
    }
    get statusText(): string {
      return this.#real?.statusText ?? '';
    }
    get type(): Response['type'] {
      return this.#real?.type ?? 'default';
    }
    get url(): string {
      return this.#real?.url ?? '';
    }
    get redirected(): boolean {
      return this.#real?.redirected ?? false;
    }
    get body(): Response['body'] {
      return this.#made().body;
    }
    get bodyUsed(): boolean {
      return this.#real ? this.#real.bodyUsed : this.#isSent && this.#whole?.body !== undefined;
    }

    clone(): Response {
      const real = this.#made();
      const clone = real.clone();
      if (this.#headers && this.#headers !== real.headers) {
        // Those that were handed out may have changed since.
        for (const name of [...clone.headers.keys()]) clone.headers.delete(name);
        for (const [name, value] of this.#headers) clone.headers.append(name, value);
      }
      return clone;
    }
    text(): Promise<string> {
      return this.#made().text();
    }
    json(): Promise<unknown> {
      return this.#made().json();
    }
    arrayBuffer(): Promise<ArrayBuffer> {
      return this.#made().arrayBuffer();
    }
    blob(): ReturnType<Response['blob']> {
      return this.#made().blob();
    }
    formData(): ReturnType<Response['formData']> {
      return this.#made().formData();
    }

    static json(data: unknown, init?: ResponseInit): unknown {
      const fields = typeof init === 'object' ? plainFields(init.headers) : init === undefined ? {} : undefined;
      const text: unknown = fields && JSON.stringify(data);
      if (!fields || typeof text !== 'string') return Real.json(data, init);
      fields['content-type'] ??= JSON_TYPE;
      const { status = 200, statusText = '' } = init ?? {};
      return new Light(text, { status, statusText, headers: fields });
    }

    static [Symbol.hasInstance](this: unknown, value: unknown): boolean {
      // Those of fetch() are of the web's own class; subclasses have instances of their own.
      return Function.prototype[Symbol.hasInstance].call(this === Light ? Real : this, value);
    }
  }
  // Where the web's own has it: not in Node 20.
  if ('bytes' in Real.prototype) {
    const bytes = async function (this: Light): Promise<Uint8Array> {
      return new Uint8Array(await this.arrayBuffer());
    };
    Object.defineProperty(Light.prototype, 'bytes', { value: bytes, writable: true, configurable: true });
  }
  Object.defineProperty(Light, 'name', { value: 'Response', configurable: true });
  Object.setPrototypeOf(Light.prototype, Real.prototype);
  Object.setPrototypeOf(Light, Real);
  return Light;
}

function bodyInit(body: string | Uint8Array): Body {
  return typeof body === 'string' ? body : new Uint8Array(body);
}

/** Puts a `Response` in the place of the web's own that is sent without a stream where it has none. Done once a process. */
export function installLightResponse(): void {
  const { Response: Real } = globalThis;
  if (WHOLE in Real.prototype) return;
  Object.defineProperty(globalThis, 'Response', { value: makeClass(Real), writable: true, configurable: true, enumerable: false });
}

/** The whole answer of a response that needs no stream; undefined: it must be read. To be sent: it counts as used from then on. */
export function takeWhole(response: Response): WholeResponse | undefined {
  const take = (response as { readonly [WHOLE]?: () => WholeResponse | undefined })[WHOLE];
  return take?.call(response);
}
