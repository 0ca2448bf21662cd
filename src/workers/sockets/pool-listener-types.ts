import type { BoundAddress, Remote } from '../../endpoints/endpoint.js';
import type { Ctor } from '../../decorators/ctor.js';
import type { SocketHandle } from '../../hosts/host.js';
import type { ListenPlan } from '../../wire/link/protocol.js';
import type { SocketLedger } from './socket-ledger.js';

/** A live connection on its way to another process. */
export interface MovedConnection {
  readonly handle: SocketHandle;
  /** Where it had come in. */
  readonly url: string;
  readonly remote: Remote;
  /** Received and not handled. */
  readonly rest: Uint8Array;
  readonly data: object | undefined;
}

/** Listens for the connections inside a worker, and collects the addresses of processes that listen by themselves. */
export interface PoolListener {
  /** The endpoints of each connection class of the worker, for BOOT. */
  readonly plan: readonly (readonly ListenPlan[])[];
  /** Binds. Rejects with a ListenError; then nothing is left bound. */
  open(): Promise<void>;
  /** A process takes something from now on. */
  onProcessReady(process: { readonly sockets: SocketLedger }): void;
  /** A process says that it listens by itself. What it says is not to be trusted: throws ProtocolError. */
  onListening(process: { readonly sockets: SocketLedger }, message: unknown): void;
  /** Which of its classes a connection is handed off to. Throws UsageError, or what speaks against its data. */
  target(to: Ctor | undefined, data: object | undefined): number;
  /** Gives a live connection to a process. Resolves when one has it; else rejects, and the handle is still the caller's. */
  move(connection: number, what: MovedConnection): Promise<void>;
  /** Where a class listens; undefined: it is none of this worker's. */
  addresses(connection: Ctor): readonly BoundAddress[] | undefined;
  /** Each listening class: its name for people, and its address. */
  listeners(): Iterable<{ readonly name: string; readonly url: string }>;
  /** Stops listening for good. Never rejects. */
  close(): Promise<void>;
}
