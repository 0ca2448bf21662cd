import net, { Socket } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import type { SocketHandle } from '../../hosts/host.js';
import { createServerHandle } from '../../node-internals.js';
import type { Arrival } from '../endpoint.js';

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

/** A socket whose handle came from somewhere else. It reads. */
export function socketOn(handle: SocketHandle): Socket {
  // Half-closing is the session's business.
  const options = { handle, readable: true, writable: true, allowHalfOpen: true };
  return new Socket(options);
}

/** Binds without listening. Throws what the system says. */
export function bindHandle(address: string, port: number, family: number): { readonly handle: SocketHandle; readonly port: number } {
  const handle = createServerHandle(net, address, port, family);
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
