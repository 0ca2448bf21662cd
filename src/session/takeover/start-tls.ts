import { onAbort } from '../../abort-listeners.js';
import { checkTls } from '../../blueprint/connection/tls-options.js';
import { refuse, reporter } from '../../blueprint/mistakes.js';
import type { TlsOptions } from '../../decorators/connection/endpoint-types.js';
import { publish } from '../../diagnostics.js';
import { hostAndPort } from '../../endpoints/net/tcp.js';
import { asError, ConnectionClosedError, TlsInjectionError, UsageError, type Mistake } from '../../errors.js';
import { closeReason, reasonOfLimit, reasonOfTransport } from '../close-reasons.js';
import type { LiveConnection } from '../live-connection.js';
import type { ConnectionState } from '../lifecycle.js';
import { handshakeWithin } from '../../timing/handshake-timeout.js';
import { PauseReason } from '../inbound/read-loop.js';

/**
 * Takes a connection over to TLS, in place: flushes, shakes hands, runs `@OnSecure`. Messages wait until then, and what is sent meanwhile
 * follows. A failure closes the connection and is reported as any other failure of a socket, also to callers that do not await this.
 */
export function startTls(session: LiveConnection, options: TlsOptions | undefined): Promise<void> {
  const secured = secure(session, options);
  secured.catch(() => {});
  return secured;
}

async function secure(session: LiveConnection, options: TlsOptions | undefined): Promise<void> {
  const tls = checked(session, options);
  const { state, runner, sendBuffer, readLoop, settings } = session;
  if (!state.isOpen) throw new ConnectionClosedError();
  sendBuffer.flush();
  if (readLoop.isHeld(PauseReason.MOVING)) throw new UsageError('the connection is being handed off: the other process starts TLS');
  if (readLoop.isHeld(PauseReason.SECURING)) throw new UsageError('startTls() is under way already');
  if (!sendBuffer.beginExclusive()) throw new UsageError('a file is being sent: wait for it before startTls()');
  readLoop.hold(PauseReason.SECURING);
  // An `end()` meanwhile takes effect behind the handshake.
  runner.pendingReplies++;
  session.onHandlerPending();
  try {
    if (readLoop.take().length > 0) throw new TlsInjectionError();
    if (state.peerHasEnded) state.destroy(closeReason('peer END'));
    else await handshake(session, tls);
  } catch (thrown) {
    fail(session, asError(thrown));
  }
  if (!state.isOver) {
    sendBuffer.endExclusive();
    const { app, name: handler, blueprint } = settings.plan;
    publish('connection.secure', { app, handler, connection: session.id, protocol: session.transport.tls?.protocol });
    await runner.runHook('OnSecure', blueprint.hooks.secure);
  }
  runner.pendingReplies--;
  // The caller that waits for the handshake continues first.
  readLoop.release(PauseReason.SECURING, true);
  session.onHandlerSettled();
  if (state.isOver) throw await closingError(state);
}

/** Closes for a failed handshake; a close meanwhile has its own reason. */
function fail({ state, runner }: LiveConnection, error: Error): void {
  if (state.isOver) return;
  const reason = reasonOfTransport(error);
  state.destroy(reason);
  if (reason.by === 'error') void runner.reportError(error, { during: 'socket' });
}

function handshake({ host, settings, transport, state }: LiveConnection, tls: TlsOptions): Promise<void> {
  const how = { tls, isServer: settings.isAccepted, host: hostAndPort(settings.target.url)?.host };
  const { handshakeTimeout } = settings.limits;
  const late = (error: Error): void => state.destroy(reasonOfLimit('handshakeTimeout', error));
  return handshakeWithin(host.clock, handshakeTimeout, () => transport.startTls!(how), late);
}

/** The error that the connection ended with, once it has. */
async function closingError(ending: ConnectionState): Promise<Error> {
  if (!ending.isClosed) await new Promise(resolve => onAbort(ending.signal, resolve));
  return ending.reason?.error ?? new ConnectionClosedError();
}

/** Throws UsageError or ConfigurationError for mistakes of the caller: the connection stays as it was. */
function checked({ settings, transport, isPiped }: LiveConnection, options: TlsOptions | undefined): TlsOptions {
  const { name } = settings.plan;
  if (settings.concurrency > 1)
    throw new UsageError(`${name} has concurrency above 1: messages before TLS and behind it could not be told apart`);
  if (!transport.startTls)
    throw new UsageError(`${name} cannot start TLS: a ${settings.scheme.name}: connection has nothing beneath it that could`);
  if (transport.tls) throw new UsageError('the connection speaks TLS already');
  if (isPiped) throw new UsageError('a piped connection cannot start TLS: its bytes are not its own');
  const mistakes: Mistake[] = [];
  checkTls(options, 'startTls', reporter(name, mistakes));
  refuse(mistakes);
  const tls = options ?? (settings.target.options['tls'] as TlsOptions | undefined) ?? {};
  if (settings.isAccepted && tls.cert === undefined && tls.sni === undefined)
    throw new UsageError(`${name} has no certificate to show: write tls: { cert, key } beside its url, or startTls({ cert, key })`);
  return tls;
}
