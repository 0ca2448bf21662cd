import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { failing, guard } from '../../guard.js';
import type { TlsOptions } from '../../decorators/connection/endpoint-types.js';
import { asError, TlsError } from '../../errors.js';
import type { PeerTls, TlsStart } from '../endpoint.js';
import { noteSecured } from '../net/reset-socket.js';
import { systemErrorText } from '../system-errors.js';
import { credentialsOf } from './tls-credentials.js';
import { noticeEnd, tlsServerOf, type HandshakeOutcome } from './tls-server.js';
import { nodeTls } from '../node-modules.js';
import { setImmediate } from '../../system-timers.js';

function typed(error: Error): TlsError {
  return error instanceof TlsError ? error : new TlsError(`TLS handshake failed: ${systemErrorText(error)}`, { cause: error });
}

function left(): Error {
  return Object.assign(new Error('the peer left'), { code: 'ECONNRESET' });
}

function shakeAsClient(plain: Socket, options: TlsOptions, host: string, outcome: HandshakeOutcome): void {
  const name = options.servername ?? host;
  const begin = async (): Promise<void> => {
    const { context } = await credentialsOf(options).current();
    if (plain.destroyed) return;
    noticeEnd(plain);
    const socket = nodeTls().connect({
      socket: plain,
      secureContext: context,
      host: name,
      // An address is verified, and not asked for by name.
      ...(isIP(name) === 0 && { servername: name }),
      ...(options.alpn && { ALPNProtocols: [...options.alpn] }),
      // Said aloud: the environment cannot switch it off.
      rejectUnauthorized: true,
    });
    const victim = failing(error => {
      socket.destroy();
      outcome.onFailed(error);
    });
    socket.once(
      'secureConnect',
      guard(victim, () => outcome.onSecured(socket)),
    );
    socket.on('error', guard(victim, outcome.onFailed));
  };
  begin().catch((error: unknown) => outcome.onFailed(asError(error)));
}

/**
 * Sends what was written to a socket, then takes it over with TLS; exactly one of the two is called. A failed one is destroyed.
 * The reader of the plain socket has stopped: from here on its bytes are TLS's.
 */
export function handshake(plain: Socket, { tls, isServer, host }: TlsStart, outcome: HandshakeOutcome): void {
  let settled = false;
  // An error that made it close is reported first.
  const lost = guard(plain, () => void setImmediate(() => failed(left())));
  const settle = (): boolean => {
    if (settled) return false;
    plain.off('close', lost).off('end', lost);
    return (settled = true);
  };
  const failed = (error: Error): void => {
    if (!settle()) return;
    plain.destroy();
    outcome.onFailed(typed(error));
  };
  const secured = (socket: TLSSocket): void => {
    noteSecured(socket, plain);
    if (settle()) outcome.onSecured(socket);
    else socket.destroy();
  };
  const begin = (): void => {
    if (plain.destroyed) return;
    // The peer finished sending before the handshake began: TLS would wait for more.
    if (plain.readableEnded) failed(left());
    else if (isServer) tlsServerOf(tls).shake(plain, { onSecured: secured, onFailed: failed });
    else shakeAsClient(plain, tls, host ?? 'localhost', { onSecured: secured, onFailed: failed });
  };
  // 'end' comes here only before the handshake: from then on TLS reads the socket.
  plain.once('close', lost).once('end', lost);
  if (plain.closed) lost();
  else if (plain.writableLength === 0) begin();
  else plain.write('', begin);
}

/** Reads the facts of a TLS session while the socket still has them. */
export function peerTlsOf(socket: TLSSocket, isServer: boolean): PeerTls {
  const shown = socket.getPeerCertificate();
  const certificate = Object.keys(shown ?? {}).length > 0 ? shown : undefined;
  const { servername } = socket as { readonly servername?: string | false | null };
  return {
    protocol: socket.getProtocol() ?? '',
    cipher: socket.getCipher().name,
    certificate,
    servername: servername || undefined,
    alpn: socket.alpnProtocol || undefined,
    // A client has verified its server, or there is no session.
    authorized: !isServer || (socket.authorized && certificate !== undefined),
  };
}
