import net, { Socket, type Server } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import type { SocketHandle } from '../../hosts/host.js';
import type { Arrival } from '../endpoint.js';

/** The handle that Node keeps beneath a socket or a server, without a public name; its own cluster module works with it. */
interface Handle extends SocketHandle {
  onread?: unknown;
  readStop?(): number;
  getsockname?(name: { address?: string; port?: number }): number;
}

interface Known {
  _handle: Handle | null;
}

interface KnownServer extends Known {
  _listen2(address: null, port: -1, addressType: -1, backlog: number): void;
}

interface KnownNet {
  _createServerHandle(address: string, port: number, addressType: number): Handle | number;
}

/** A connection that is passed on within this process: nothing needs to be taken out of it. */
export class PassedArrival implements SocketHandle {
  readonly arrival: Arrival;

  constructor(arrival: Arrival) {
    this.arrival = arrival;
  }

  close(): void {
    this.arrival.destroy();
  }
}

/** Takes the handle out of a socket, which is as good as closed then. Undefined: it has none any more. */
export function takeHandle(socket: Socket): SocketHandle | undefined {
  const known = socket as unknown as Known;
  const handle = known._handle;
  if (!handle) return undefined;
  // At the handle, not the stream: what is read between the one and the other would be lost.
  handle.readStop?.();
  handle.onread = () => {};
  known._handle = null;
  return handle;
}

/** A socket whose handle came from somewhere else. It reads. */
export function socketOn(handle: SocketHandle): Socket {
  // Half-closing is the session's business.
  const options = { handle, readable: true, writable: true, allowHalfOpen: true };
  return new Socket(options);
}

/** Lets a server accept from a socket that was bound elsewhere. */
export function acceptFrom(server: Server, handle: SocketHandle, backlog: number): void {
  const known = server as unknown as KnownServer;
  known._handle = handle;
  // `listen(handle)` would open the descriptor of a unix socket a second time, and close it twice.
  known._listen2(null, -1, -1, backlog);
}

/** Binds without listening. Throws what the system says. */
export function bindHandle(address: string, port: number, family: number): { readonly handle: SocketHandle; readonly port: number } {
  const handle = (net as unknown as KnownNet)._createServerHandle(address, port, family);
  if (typeof handle === 'number') {
    const [code = String(handle), text] = getSystemErrorMap().get(handle) ?? [];
    throw Object.assign(new Error(`bind ${code}: ${text}`), { code, syscall: 'bind' });
  }
  const name: { port?: number } = {};
  handle.getsockname?.(name);
  // The system tells of an address in use only when it is listened on, and then silently takes another port.
  if (port > 0 && name.port !== port) {
    handle.close();
    throw Object.assign(new Error(`bind EADDRINUSE: ${address}:${port}`), { code: 'EADDRINUSE', syscall: 'bind' });
  }
  return { handle, port: name.port ?? 0 };
}
