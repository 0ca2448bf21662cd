import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { AuthorizeOpening } from '../decorators/endpoint-types.js';
import { peerTlsOf } from '../endpoints/tls-handshake.js';
import { asError } from '../errors.js';
import { guard } from '../guard.js';
import { urlOf } from '../http/incoming.js';
import { placeOf } from '../http/place.js';
import { refuse } from '../http/refuse.js';
import { verdictOf } from '../http/status.js';
import { clearTimeout, setTimeout } from '../system-timers.js';

/** Headers that the refusal writes itself. */
const OURS = new Set(['connection', 'content-length', 'transfer-encoding', 'set-cookie']);

interface GateLimits {
  readonly maxConnections: number;
  readonly handshakeTimeout: number;
}

async function refuseWith(socket: Socket, answer: Response): Promise<void> {
  const headers: Record<string, string | readonly string[]> = {};
  for (const [name, value] of answer.headers) if (!OURS.has(name)) headers[name === 'content-type' ? 'Content-Type' : name] = value;
  headers['set-cookie'] = answer.headers.getSetCookie();
  refuse(socket, answer.status, await answer.text(), headers);
}

/** Asks `authorize` of an endpoint for each request for a websocket, before it is answered and before anything is made for it. */
export class AuthorizationGate {
  readonly #authorize: AuthorizeOpening;
  readonly #scheme: 'ws' | 'wss';
  readonly #limits: GateLimits;
  readonly #onError: (error: Error) => void;
  /** Requests that are being decided. */
  #waiting = 0;

  /** @param onError hears what `authorize` throws, unless that is the client's mistake. */
  constructor(authorize: AuthorizeOpening, scheme: 'ws' | 'wss', limits: GateLimits, onError: (error: Error) => void) {
    this.#authorize = authorize;
    this.#scheme = scheme;
    this.#limits = limits;
    this.#onError = onError;
  }

  /** Calls `admit`, or refuses the request with the `Response` that `authorize` gives. Never rejects. */
  async ask(asked: IncomingMessage, socket: Socket, admit: () => void): Promise<void> {
    const { maxConnections, handshakeTimeout } = this.#limits;
    if (this.#waiting >= maxConnections) {
      refuse(socket, 503, 'no room for another connection');
      return;
    }
    this.#waiting++;
    const ignore = (): void => {};
    socket.on('error', ignore);
    const abort = new AbortController();
    const onClose = guard(socket, () => abort.abort(new Error('the client left')));
    socket.once('close', onClose);
    const timer = handshakeTimeout === Infinity ? undefined : setTimeout(() => socket.destroy(), handshakeTimeout).unref();
    try {
      const answer = await this.#decide(asked, socket, abort.signal);
      if (socket.destroyed) return;
      if (answer) await refuseWith(socket, answer);
      else admit();
    } catch (thrown) {
      const error = asError(thrown);
      const { status, text } = verdictOf(error);
      if (status >= 500 && !abort.signal.aborted) this.#onError(error);
      if (!socket.destroyed) refuse(socket, status, text);
    } finally {
      clearTimeout(timer);
      socket.off('close', onClose);
      socket.off('error', ignore);
      this.#waiting--;
    }
  }

  async #decide(asked: IncomingMessage, socket: Socket, signal: AbortSignal): Promise<Response | undefined> {
    const isSecure = this.#scheme === 'wss';
    const url = urlOf(asked, isSecure);
    if (!url) return new Response('the request target or Host is not valid', { status: 400 });
    const headers = new Headers();
    for (let i = 0; i + 1 < asked.rawHeaders.length; i += 2) headers.append(asked.rawHeaders[i]!, asked.rawHeaders[i + 1]!);
    const remote = placeOf(this.#scheme, socket.remoteAddress, socket.remotePort);
    const tls = socket instanceof TLSSocket ? peerTlsOf(socket, true) : undefined;
    return (await this.#authorize(new Request(url, { headers, signal }), { remote, tls })) ?? undefined;
  }
}
