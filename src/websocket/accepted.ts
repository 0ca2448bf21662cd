import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocketServer } from 'ws';
import { publish } from '../diagnostics.js';
import { LimitError } from '../errors.js';
import { isResponse } from '../is-response.js';
import { answerAndClose } from '../web/refuse.js';
import { refuseWith } from './authorize.js';
import type { FrameSocket } from './frame-socket.js';
import { agreed, offersOf } from './opening.js';
import type { WebSocketClient } from './client.js';
import { WebSocketTransport, type WebSocketSettings } from './transport.js';

/** A request for a websocket that was found right: it is answered when the connection is opened, or refused. */
export class AcceptedWebSocket extends WebSocketTransport {
  readonly #server: WebSocketServer;
  readonly #asked: IncomingMessage;
  readonly #head: Buffer;

  constructor(
    server: WebSocketServer,
    asked: IncomingMessage,
    socket: Socket,
    head: Buffer,
    settings: WebSocketSettings,
    protocols: readonly string[] | undefined,
    client: WebSocketClient,
  ) {
    const headers = new Headers();
    for (let i = 0; i + 1 < asked.rawHeaders.length; i += 2) headers.append(asked.rawHeaders[i]!, asked.rawHeaders[i + 1]!);
    const protocol = agreed(protocols, offersOf(asked));
    super(socket, settings, { url: `${client.scheme}://${client.host}${asked.url ?? '/'}`, headers, protocol }, true, client.remote);
    this.#server = server;
    this.#asked = asked;
    this.#head = head;
  }

  protected upgrade(): FrameSocket | undefined {
    let opened: FrameSocket | undefined;
    // Its class is the one that the server was made with; it calls back before it returns, or not at all.
    this.#server.handleUpgrade(this.#asked, this.socket, this.#head, ws => (opened = ws as FrameSocket));
    return opened;
  }

  protected refuse(error: Error | undefined): void {
    const answer = error?.cause;
    if (isResponse(answer)) {
      const why = `the handler's constructor answered ${answer.status}`;
      publish('listener.reject', { url: this.local.url, reason: 'constructor', why, remote: this.remote });
      void refuseWith(this.socket, answer);
    } else if (!(error instanceof LimitError)) answerAndClose(this.socket, 500, 'no connection could be made');
    else if (error.limit === 'allow' || error.limit === 'deny') answerAndClose(this.socket, 403, 'not from your address');
    else answerAndClose(this.socket, 503, 'no room for another connection');
  }
}
