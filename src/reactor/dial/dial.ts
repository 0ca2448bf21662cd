import { onAbort } from '../../abort-listeners.js';
import type { Clock } from '../../clock.js';
import { deadline } from '../../deadline.js';
import type { Transport } from '../../endpoints/endpoint.js';
import { aborted } from '../../endpoints/system-errors.js';
import { ConnectError, LimitError, TlsError, asError } from '../../errors.js';
import { handshakeWithin } from '../../timing/handshake-timeout.js';
import { closeReason } from '../../session/close-reasons.js';
import type { Session } from '../../session/session.js';
import type { Settings } from '../../session/settings.js';

/** Runs the handshake of a new connection, within `handshakeTimeout`. Throws ConnectError. */
async function handshake(clock: Clock, { target, limits }: Settings, transport: Transport, signal: AbortSignal | undefined): Promise<void> {
  const giveUp = (): void => transport.destroy();
  const forget = onAbort(signal, giveUp);
  try {
    const shaking = handshakeWithin(
      clock,
      limits.handshakeTimeout,
      () => transport.handshake!(),
      late => transport.destroy(late),
    );
    if (signal?.aborted) giveUp();
    await shaking;
  } catch (thrown) {
    if (signal?.aborted) throw aborted(target.url, signal);
    const error = asError(thrown);
    throw new ConnectError(target.url, error instanceof LimitError ? 'timeout' : 'tls', error.message, { cause: error });
  } finally {
    forget();
  }
}

/** One dial within `connectTimeout`. Throws ConnectError. */
async function dial(clock: Clock, { target, scheme, limits }: Settings, signal: AbortSignal | undefined): Promise<Transport> {
  const controller = new AbortController();
  const giveUp = (): void => controller.abort(signal?.reason);
  if (signal?.aborted) giveUp();
  const forget = onAbort(signal, giveUp);
  const { connectTimeout } = limits;
  const late = new ConnectError(target.url, 'timeout', `no connection within connectTimeout (${connectTimeout} ms)`);
  const timer = connectTimeout === Infinity ? undefined : deadline(clock, connectTimeout, () => controller.abort(late), true);
  try {
    return await scheme.connect!(target, controller.signal);
  } catch (error) {
    throw controller.signal.reason === late ? late : error;
  } finally {
    timer?.cancel();
    forget();
  }
}

/** Resolves when it is closed. */
async function closed({ state }: Session): Promise<void> {
  if (!state.isClosed) await new Promise(resolve => onAbort(state.signal, resolve));
}

/** Resolves when the connection is usable: `@OnConnect` has settled. Throws ConnectError, or what the handler threw. */
async function openUsable(session: Session, signal: AbortSignal | undefined): Promise<void> {
  const { state, settings } = session;
  const { url } = settings.target;
  const opening = session.open();
  // A handler that never settles must not hide that the peer is gone.
  if (opening) await Promise.race([opening, closed(session)]);
  if (signal?.aborted) {
    await closed(session);
    throw aborted(url, signal);
  }
  const { reason } = state;
  if (reason?.error instanceof TlsError) throw new ConnectError(url, 'tls', reason.error.message, { cause: reason.error });
  if (reason?.by === 'error' && reason.error) throw reason.error;
  if (state.isClosed && reason?.by !== 'local') {
    const how = reason?.by === 'peer' ? 'the peer closed it before it was usable' : `it was closed before it was usable (${reason?.code})`;
    throw new ConnectError(url, reason?.by === 'timeout' ? 'timeout' : 'refused', how, { cause: reason?.error });
  }
}

/**
 * Dials once and opens the connection; afterwards the signal destroys it.
 * @param begin makes the session; what it throws rejects, and the connection is closed.
 */
export async function establish(
  clock: Clock,
  settings: Settings,
  signal: AbortSignal | undefined,
  begin: (transport: Transport) => Session,
): Promise<Session> {
  const transport = await dial(clock, settings, signal);
  if (transport.handshake) await handshake(clock, settings, transport, signal);
  let session: Session;
  try {
    session = begin(transport);
  } catch (error) {
    transport.destroy();
    throw error;
  }
  if (signal) {
    const destroy = (): void => session.state.destroy(closeReason('local ABORTED'));
    onAbort(session.state.signal, onAbort(signal, destroy));
    if (signal.aborted) destroy();
  }
  await openUsable(session, signal);
  return session;
}
