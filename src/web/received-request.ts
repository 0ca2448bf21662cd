import { asError, BoundaryError, PacketError } from '../errors.js';
import { deeperThan, poisonous } from '../framing/decoding/json-guard.js';

/** Levels of arrays and objects in a JSON body, as in structured values: deeper ones overflow the stack of code that walks them. */
const MAX_DEPTH = 100;

/** Something that a client has sent cannot be read. */
export function unreadable(message: string, cause?: unknown, what = 'body'): BoundaryError {
  const error = new BoundaryError({ direction: 'input', issues: [{ message }], what });
  return cause === undefined ? error : Object.assign(error, { cause });
}

/** Parses a body that came from the net. Throws BoundaryError. */
export function parseJson(text: string): unknown {
  if (deeperThan(text, MAX_DEPTH)) throw unreadable(`it is nested deeper than ${MAX_DEPTH} levels`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw unreadable(text === '' ? 'no JSON: it is empty' : `no JSON: ${asError(cause).message}`, cause);
  }
  if (poisonous(text, document)) throw unreadable('it has the key __proto__ or constructor.prototype');
  return document;
}

/** `Request` with methods: Node's types declare properties, which a class cannot override. */
interface WebRequest extends Omit<Request, 'json' | 'formData' | 'clone'> {
  json(): Promise<unknown>;
  formData(): Promise<FormData>;
  clone(): Request;
}
const WebRequest = Request as unknown as new (url: string, init: RequestInit) => WebRequest;

/**
 * A request that a client has sent: a body that is not what `json()` or `formData()` expects is the client's mistake, a BoundaryError,
 * which is answered with 400. So is JSON that is nested too deep, or would change prototypes when it is merged.
 */
export class ReceivedRequest extends WebRequest {
  override async json(): Promise<unknown> {
    return parseJson(await this.text());
  }

  override async formData(): Promise<FormData> {
    const { bodyUsed } = this;
    try {
      return await super.formData();
    } catch (thrown) {
      const error = asError(thrown);
      if (bodyUsed || error instanceof PacketError) throw error;
      // A limit that the body has passed.
      if (error.cause instanceof PacketError) throw error.cause;
      throw unreadable(`no form: ${error.message}`, error);
    }
  }

  override clone(): Request {
    // A plain Request, with all that this one has.
    return Object.setPrototypeOf(super.clone(), ReceivedRequest.prototype) as Request;
  }
}
