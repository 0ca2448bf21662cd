import type { AsyncContext } from '../async-context.js';
import type { Transport } from '../endpoints/endpoint.js';
import type { Chunk } from '../framing/framing.js';
import type { LimitCode } from './close-reasons.js';
import type { ClosedConnection } from './final-hooks.js';
import type { HandlerRunner } from './handler/handler-runner.js';
import type { ReadLoop } from './inbound/read-loop.js';
import type { SendBuffer } from './outbound/send-buffer.js';
import type { SessionHost } from './session-host.js';
import type { ConnectionDeadlines } from './timeouts/deadlines.js';

/** The parts of one connection below its life cycle, and the callbacks by which they report to it. Implemented by `Session` alone. */
export interface ConnectionParts extends ClosedConnection {
  readonly host: SessionHost;
  readonly transport: Transport;
  readonly readLoop: ReadLoop;
  readonly sendBuffer: SendBuffer;
  readonly runner: HandlerRunner;
  readonly deadlines: ConnectionDeadlines;
  readonly context: AsyncContext;
  /** Its bytes flow to another peer, or another's to it. */
  readonly isPiped: boolean;
  /** Sends what is encoded. */
  sendEncoded(bytes: Chunk | readonly Chunk[]): void;
  /** Publishes that a limit was exceeded, and closes the connection for that. */
  closeForLimit(limit: LimitCode, message: string): void;
  /** Stops or restarts the time limits that run only while it is the peer's turn. */
  reviewClocks(): void;
  onHandlerPending(): void;
  onHandlerSettled(): void;
  /** The transport is closed: everything that waits for it is let go. */
  onTransportClosed(): void;
  /** `@OnClose` has settled. */
  onFinished(): void;
}
