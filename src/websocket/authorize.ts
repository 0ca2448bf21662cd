import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { AuthorizeOpening } from '../decorators/connection/endpoint-types.js';
import type { Remote } from '../endpoints/endpoint.js';
import { peerTlsOf } from '../endpoints/tls/tls-handshake.js';
import { asError, UsageError } from '../errors.js';
import { guard } from '../guard.js';
import { isResponse } from '../is-response.js';
import { requestUrlOf } from '../web/request/origin.js';
import { answerAndClose } from '../web/refuse.js';
import { errorStatusOf } from '../web/status.js';
import type { WebSocketClient } from './client.js';
import { clearTimeout, setTimeout } from '../system-timers.js';

/** Headers that the refusal writes itself. */
const OURS = new Set(['connection', 'content-length', 'transfer-encoding', 'set-cookie']);

interface GateLimits {
  readonly maxConnections: number;
  readonly handshakeTimeout: number;
}

/** Events of the endpoint. */
export interface GateEvents {
  /** Receives the exception of `authorize`, unless that is the client's mistake. */
  onError(error: Error): void;
  /** A request was refused: `reason` names the option or limit. */
  onRefused(reason: string, why: string, remote: Remote): void;
}

/** A request that is being decided. */
interface Asked {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly client: WebSocketClient;
  readonly abort: AbortController;
}

/** Refuses a request for a websocket with this answer. */
export async function refuseWith(socket: Socket, answer: Response): Promise<void> {
  const headers: Record<string, string | readonly string[]> = {};
  for (const [name, value] of answer.headers) if (!OURS.has(name)) headers[name === 'content-type' ? 'Content-Type' : name] = value;
  headers['set-cookie'] = answer.headers.getSetCookie();
  answerAndClose(socket, answer.status, await answer.text(), headers);
}

/** Asks `authorize` of an endpoint for each request for a websocket, before it is answered and before anything is made for it. */
export class AuthorizationGate {
  readonly #authorize: AuthorizeOpening;
  readonly #limits: GateLimits;
  readonly #events: GateEvents;
  readonly #undecided = new Set<Asked>();

  constructor(authorize: AuthorizeOpening, limits: GateLimits, events: GateEvents) {
    this.#authorize = authorize;
    this.#limits = limits;
    this.#events = events;
  }

  /** Calls `admit`, or refuses the request with the `Response` that `authorize` gives. Never rejects. */
  async ask(request: IncomingMessage, socket: Socket, client: WebSocketClient, admit: () => void): Promise<void> {
    const { maxConnections, handshakeTimeout } = this.#limits;
    const asked: Asked = { request, socket, client, abort: new AbortController() };
    if (this.#undecided.size >= maxConnections) {
      this.#refuse(asked, 503, 'maxConnections', 'no room for another connection');
      return;
    }
    this.#undecided.add(asked);
    const ignore = (): void => {};
    socket.on('error', ignore);
    const onClose = guard(socket, () => asked.abort.abort(new Error('the client left')));
    socket.once('close', onClose);
    const timer = handshakeTimeout === Infinity ? undefined : setTimeout(() => this.#expire(asked), handshakeTimeout).unref();
    try {
      await this.#settle(asked, admit);
    } finally {
      clearTimeout(timer);
      socket.off('close', onClose);
      socket.off('error', ignore);
      this.#undecided.delete(asked);
    }
  }

  /** The endpoint has stopped listening: what is not decided yet is refused. */
  close(): void {
    for (const asked of this.#undecided) {
      this.#refuse(asked, 503, 'closed', 'closing');
      asked.abort.abort(new Error('the endpoint is closed'));
    }
  }

  async #settle(asked: Asked, admit: () => void): Promise<void> {
    const { socket, client, abort } = asked;
    try {
      const answer = await this.#decide(asked);
      if (abort.signal.aborted || socket.destroyed) return;
      if (!answer) {
        admit();
        return;
      }
      this.#events.onRefused('authorize', `authorize answered ${answer.status}`, client.remote);
      await refuseWith(socket, answer);
    } catch (thrown) {
      if (abort.signal.aborted || socket.destroyed) return;
      const error = asError(thrown);
      const { status, text } = errorStatusOf(error);
      if (status >= 500) this.#events.onError(error);
      this.#refuse(asked, status, 'authorize', text);
    }
  }

  #expire({ socket, client: { remote } }: Asked): void {
    socket.destroy();
    const { handshakeTimeout } = this.#limits;
    this.#events.onRefused('handshakeTimeout', `authorize did not decide within handshakeTimeout (${handshakeTimeout} ms)`, remote);
  }

  #refuse({ socket, client: { remote } }: Asked, status: number, reason: string, why: string): void {
    this.#events.onRefused(reason, why, remote);
    answerAndClose(socket, status, why);
  }

  async #decide({ request, socket, client, abort: { signal } }: Asked): Promise<Response | undefined> {
    const url = requestUrlOf(request, client.scheme === 'wss', client.host || undefined);
    if (!url) return new Response('the request target or Host is not valid', { status: 400 });
    const headers = new Headers();
    for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) headers.append(request.rawHeaders[i]!, request.rawHeaders[i + 1]!);
    const tls = socket instanceof TLSSocket ? peerTlsOf(socket, true) : undefined;
    const answer: unknown = await this.#authorize(new Request(url, { headers, signal }), { remote: client.remote, tls });
    if (answer === undefined || isResponse(answer)) return answer;
    // Whatever else it means, it does not grant a websocket: `false` least of all.
    throw new UsageError(`authorize returned ${typeof answer}: return undefined to grant the websocket, a Response to refuse it`);
  }
}
