import type { Ctor } from '../../blueprint/types.js';
import type { Transport } from '../../endpoints/endpoint.js';
import { asError, ConnectionClosedError, UsageError, WorkerNotFoundError } from '../../errors.js';
import type { Move } from '../../workers/sockets/pool-listener-types.js';
import { reasonOfError } from '../close-reason.js';
import { GRACE, type Deadlines } from '../timeouts/deadlines.js';
import type { Ending } from '../lifecycle.js';
import type { Outbound } from '../outbound/send-buffer.js';
import { Hold, type Reader } from '../inbound/read-loop.js';
import type { SessionHost } from '../session-host.js';
import type { Settings } from '../settings.js';

/** Where a connection is handed off to. */
export interface HandOffOptions {
  /** Which of the worker's connection classes. Not needed where it has one. */
  readonly to?: Ctor | undefined;
  /** What `peer.data` is there: plain data, copied. */
  readonly data?: object | undefined;
  /** Of a worker that was started under keys. */
  readonly key?: string | undefined;
}

/** The session, as its move sees it. */
export interface MovingHost {
  readonly host: SessionHost;
  readonly settings: Settings;
  readonly transport: Transport;
  readonly reader: Reader;
  readonly outbound: Outbound;
  readonly deadlines: Deadlines;
  readonly ending: Ending;
  readonly piped: boolean;
}

/**
 * Moves a connection to a worker's process: nothing more is read here, what was said leaves, then the socket goes, with the bytes that were
 * received and not handled. It is closed here when somebody there has it, `by: 'handoff'`; when nobody takes it, for good.
 */
export async function handOff(session: MovingHost, worker: Ctor, { to, data, key }: HandOffOptions): Promise<void> {
  checkMovable(session);
  const { reader, ending } = session;
  let move: ReturnType<NonNullable<SessionHost['mover']>>;
  try {
    move = session.host.mover!(worker, { to, data, key });
  } catch (error) {
    // What only the caller can mend leaves the connection as it was.
    if (error instanceof WorkerNotFoundError) ending.leaveNow(reasonOfError(error));
    throw error;
  }
  reader.hold(Hold.MOVING);
  // Whoever speaks in between is heard there, too.
  do await flushed(session);
  while (!session.outbound.empty);
  await depart(session, data, move);
}

async function depart(session: MovingHost, data: object | undefined, move: (what: Move) => Promise<void>): Promise<void> {
  const { reader, ending, transport, deadlines } = session;
  const { remote, local } = transport;
  const received = reader.take();
  const detached = transport.detach!();
  if (!detached) throw new ConnectionClosedError();
  const { handle, rest } = detached;
  deadlines.set(GRACE, Infinity);
  ending.moving();
  try {
    await move({ handle, url: local.url, remote, rest: Buffer.concat([received, rest]), data });
  } catch (thrown) {
    handle.close();
    ending.because(reasonOfError(asError(thrown)));
    transport.destroy();
    throw thrown;
  }
  ending.because({ by: 'handoff', code: 'HANDOFF' });
  transport.destroy();
}

/** What was said is with the kernel: what is in its buffers goes along with the socket. */
async function flushed({ outbound, ending }: MovingHost): Promise<void> {
  do await outbound.whenEmpty();
  while (!outbound.empty);
  if (!ending.open) throw new ConnectionClosedError();
}

/** Throws UsageError for what cannot be moved: the connection is as it was then. */
function checkMovable({ settings, transport, ending, outbound, piped, reader, host }: MovingHost): void {
  const { name } = settings.plan;
  if (!transport.detachable)
    throw new UsageError(`${name} cannot be handed off: only tcp: and unix: connections without TLS are the same thing in another process`);
  if (settings.concurrency > 1)
    throw new UsageError(`${name} has concurrency above 1: nobody could tell what is handled here and what there`);
  if (!host.mover) throw new UsageError(`${name} is in a worker: connections are handed off by the master, which has all workers`);
  if (piped) throw new UsageError('a piped connection cannot be handed off: its bytes are not its own');
  if (reader.held(Hold.MOVING)) throw new UsageError('the connection is being handed off already');
  if (!outbound.seize()) throw new UsageError('a file is being sent: wait for it before handOff()');
  outbound.yield();
  if (!ending.open) throw new ConnectionClosedError();
}
