/**
 * Every use of Node's undocumented names, with the line of Node's source that it rests on (v20.20.2; v26.10.0 where it moved). No other
 * file of src/ may name them: the structure check holds that. Each function says what happens on a Node that has the name no more.
 */
import type { Server, Socket } from 'node:net';
import type { Stream } from 'node:stream';
import type { TLSSocket } from 'node:tls';

/** A handle beneath a socket or a server. */
export interface NodeHandle {
  close(): void;
}

/**
 * The handle of a stream: `this._handle` of lib/net.js (set in the constructor of `Socket`). Its counts are accessors of
 * src/stream_base.cc (`bytesWritten`, `fd`) and src/stream_wrap.cc (`writeQueueSize`, `setBlocking`).
 */
interface StreamHandle extends NodeHandle {
  /** Bytes given to the kernel or on their way there. */
  readonly bytesWritten?: number;
  /** Bytes of these that libuv still has. */
  readonly writeQueueSize?: number;
  readonly fd?: number;
  setBlocking?(blocking: boolean): void;
  onread?: unknown;
  readStop?(): number;
  getsockname?(name: { address?: string; port?: number }): number;
}

interface Handled {
  _handle?: StreamHandle | null;
}

function handleOf(stream: object): StreamHandle | undefined {
  return (stream as Handled)._handle ?? undefined;
}

/** Whether the stream still has its handle: between its end and its close it has none. */
export function hasHandle(stream: Stream): boolean {
  return handleOf(stream) !== undefined;
}

/** Bytes of a stream that libuv has counted, the unsent ones included; undefined where this Node does not tell. */
export function bytesCounted(stream: Stream): number | undefined {
  return handleOf(stream)?.bytesWritten;
}

/**
 * Bytes of a stream that the kernel took: it grows while the other side reads, also in the middle of a large piece. Undefined where this
 * Node does not tell, and after the close.
 */
export function bytesTaken(stream: Stream): number | undefined {
  const { bytesWritten, writeQueueSize } = handleOf(stream) ?? {};
  return bytesWritten === undefined || writeQueueSize === undefined ? undefined : bytesWritten - writeQueueSize;
}

/** Bytes of a socket that the kernel took; where this Node does not tell, those that the socket has passed on. */
export function takenFrom(socket: Socket): number {
  return bytesTaken(socket) ?? socket.bytesWritten - socket.writableLength;
}

/**
 * Reads a socket again that Node's HTTP server stopped reading ('pause') before it let go of it: only the server's own listeners would
 * have undone that (lib/_http_server.js), and the stream believes that it is being read.
 */
export function readAgain(socket: Socket): void {
  socket._read(0);
}

/** The descriptor of a socket; undefined where it has none, or this Node does not tell. */
export function descriptorOf(socket: Socket): number | undefined {
  const fd = handleOf(socket)?.fd;
  return fd === undefined || fd < 0 ? undefined : fd;
}

/** Makes writes wait for the kernel, as Node does for pipes on Windows (lib/net.js, `setBlocking(true)`). Nothing where this Node cannot. */
export function setBlocking(stream: object): void {
  handleOf(stream)?.setBlocking?.(true);
}

/** Takes the handle out of a socket, which is as good as closed then. Undefined: it has none any more. */
export function takeHandle(socket: Socket): NodeHandle | undefined {
  const handle = handleOf(socket);
  if (!handle) return undefined;
  // At the handle, not the stream: bytes read between the one and the other would be lost.
  handle.readStop?.();
  handle.onread = () => {};
  (socket as Handled)._handle = null;
  return handle;
}

/** Closes the handle of a standard stream: Node never closes stdout (lib/internal/bootstrap/switches/is_main_thread.js, `dummyDestroy`). */
export function closeStandardStream(stream: Socket): void {
  handleOf(stream)?.close();
  (stream as Handled)._handle = null;
}

/**
 * Lets a server accept from a socket that was bound elsewhere. `_listen2` is lib/net.js's alias of `setupListenHandle`;
 * `listen(handle)` would open the descriptor of a unix socket a second time, and close it twice.
 */
export function acceptFrom(server: Server, handle: NodeHandle, backlog: number): void {
  const known = server as unknown as Handled & { _listen2(address: null, port: -1, addressType: -1, backlog: number): void };
  known._handle = handle;
  known._listen2(null, -1, -1, backlog);
}

/**
 * Makes a bound handle, or returns the number of the system's error: `_createServerHandle` of lib/net.js, which cluster binds with.
 * @param net the module; imported by the caller, because workers load this file and need no `node:net`
 */
export function createServerHandle(net: object, address: string, port: number, family: number): StreamHandle | number {
  return (net as { _createServerHandle(...of: unknown[]): StreamHandle | number })._createServerHandle(address, port, family);
}

/**
 * The socket beneath a TLS socket that was made on one: `this._parent = socket` of lib/_tls_wrap.js (v26: lib/internal/tls/wrap.js).
 * Undefined on a Node without it: no handshake of a server would succeed.
 */
export function socketBeneath(socket: TLSSocket): Socket | undefined {
  return (socket as TLSSocket & { readonly _parent?: Socket | null })._parent ?? undefined;
}

/** The IPC channel of a child process, below Node's own reading of it. */
export interface IpcChannel {
  onread: (data?: ArrayBuffer) => void;
  /** The descriptor that came with the bytes given to `onread`. */
  pendingHandle?: NodeHandle | null;
  readStop(): void;
  close(): void;
}

/**
 * The IPC channel of a child process, or of this process: `target[kChannelHandle] = channel` of lib/internal/child_process.js.
 * Undefined where there is none, or this Node hides it.
 */
export function ipcChannelOf(owner: object): IpcChannel | undefined {
  const symbol = Object.getOwnPropertySymbols(owner).find(({ description }) => description === 'kChannelHandle');
  const channel = symbol === undefined ? undefined : (owner as Record<symbol, unknown>)[symbol];
  const isKnown = typeof channel === 'object' && channel !== null && 'onread' in channel && 'readStop' in channel;
  return isKnown ? (channel as IpcChannel) : undefined;
}
