import type { Ctor } from '../../blueprint/types.js';
import { asError, ConnectionClosedError, UsageError, WorkerNotFoundError } from '../../errors.js';
import type { MovedConnection } from '../../workers/sockets/pool-listener-types.js';
import { closeReason, reasonOfError } from '../close-reasons.js';
import { GRACE } from '../timeouts/deadlines.js';
import type { LiveConnection } from '../live-connection.js';
import { PauseReason } from '../inbound/read-loop.js';
import type { HandOffOptions } from '../peer-options.js';
import type { SessionHost } from '../session-host.js';

/**
 * Moves a connection to a worker's process: reading stops, the send buffer is flushed, then the socket goes, with the bytes that were
 * received and not handled. When a process there has taken it, it is closed here `by: 'handoff'`; when none does, for good.
 */
export async function handOff(session: LiveConnection, worker: Ctor, { to, data, key }: HandOffOptions): Promise<void> {
  checkMovable(session);
  const { readLoop, state } = session;
  let move: ReturnType<NonNullable<SessionHost['handOffStarter']>>;
  try {
    move = session.host.handOffStarter!(worker, { to, data, key });
  } catch (error) {
    // A mistake that the caller can mend leaves the connection as it was.
    if (error instanceof WorkerNotFoundError) state.endNow(reasonOfError(error));
    throw error;
  }
  readLoop.hold(PauseReason.MOVING);
  // Messages sent meanwhile leave first, too.
  do await flushAll(session);
  while (!session.sendBuffer.isEmpty);
  await moveSocket(session, data, move);
}

async function moveSocket(
  session: LiveConnection,
  data: object | undefined,
  move: (what: MovedConnection) => Promise<void>,
): Promise<void> {
  const { readLoop, state, transport, deadlines } = session;
  const { remote, local } = transport;
  const received = readLoop.take();
  const detached = transport.detach!();
  if (!detached) throw new ConnectionClosedError();
  const { handle, rest } = detached;
  deadlines.set(GRACE, Infinity);
  state.beginMove();
  try {
    await move({ handle, url: local.url, remote, rest: Buffer.concat([received, rest]), data });
  } catch (thrown) {
    handle.close();
    state.setReason(reasonOfError(asError(thrown)));
    transport.destroy();
    throw thrown;
  }
  state.setReason(closeReason('handoff HANDOFF'));
  transport.destroy();
}

/** Resolves when the send buffer is with the kernel: bytes in the kernel's buffers go along with the socket. */
async function flushAll({ sendBuffer, state }: LiveConnection): Promise<void> {
  do await sendBuffer.whenEmpty();
  while (!sendBuffer.isEmpty);
  if (!state.isOpen) throw new ConnectionClosedError();
}

/** Throws UsageError for what cannot be moved: the connection is as it was then. */
function checkMovable({ settings, transport, state, sendBuffer, isPiped, readLoop, host }: LiveConnection): void {
  const { name } = settings.plan;
  if (!transport.detachable)
    throw new UsageError(`${name} cannot be handed off: only tcp: and unix: connections without TLS are the same thing in another process`);
  if (settings.concurrency > 1) throw new UsageError(`${name} has concurrency above 1: messages could be handled both here and there`);
  if (!host.handOffStarter) throw new UsageError(`${name} is in a worker: connections are handed off by the master, which has all workers`);
  if (isPiped) throw new UsageError('a piped connection cannot be handed off: its bytes are not its own');
  if (readLoop.isHeld(PauseReason.MOVING)) throw new UsageError('the connection is being handed off already');
  if (!sendBuffer.beginExclusive()) throw new UsageError('a file is being sent: wait for it before handOff()');
  sendBuffer.endExclusive();
  if (!state.isOpen) throw new ConnectionClosedError();
}
