import { asError, BoundaryError, PacketError } from '../errors.js';
import { DEAR_FROM, loopGate } from '../timing/loop-gate.js';
import { excessOf, mostParts, poisonous } from '../framing/decoding/json-guard.js';

/** Something that a client has sent cannot be read. */
export function unreadable(message: string, cause?: unknown, what = 'body'): BoundaryError {
  const error = new BoundaryError({ direction: 'input', issues: [{ message }], what });
  return cause === undefined ? error : Object.assign(error, { cause });
}

/** Parses a body of at most `limit` bytes that came from the net. Throws BoundaryError. */
export function parseJson(text: string, limit: number): unknown {
  const excess = excessOf(text, mostParts(limit));
  if (excess !== undefined) throw unreadable(`it is ${excess}`);
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

/** The most bytes that the body of a request may have, which bounds what is in it. */
const LIMITS = new WeakMap<object, number>();

/**
 * A request that a client has sent: a body that is not what `json()` or `formData()` expects is the client's mistake, a BoundaryError,
 * which is answered with 400. So is JSON that is nested too deep, or would change prototypes when it is merged.
 */
export class ReceivedRequest extends WebRequest {
  /** @param limit the most bytes that its body may have */
  constructor(url: string, init: RequestInit, limit: number) {
    super(url, init);
    LIMITS.set(this, limit);
  }

  override async json(): Promise<unknown> {
    const text = await this.text();
    if (text.length >= DEAR_FROM) await loopGate.pass('');
    return parseJson(text, LIMITS.get(this)!);
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
    const clone = Object.setPrototypeOf(super.clone(), ReceivedRequest.prototype) as Request;
    LIMITS.set(clone, LIMITS.get(this)!);
    return clone;
  }
}
