import type { ChildProcess } from 'node:child_process';
import type { SocketHandle, SocketChannel } from './host.js';
import { ipcChannelOf } from '../node-internals.js';
import { setImmediate } from '../system-timers.js';

/*
 * Sockets go from the master to a worker's process through Node's own IPC channel, which alone can carry descriptors, and nothing ever
 * comes back: the master does not read it. What Node would do with what a worker writes there (parse it, take descriptors out of it, throw
 * where it is garbage) never happens. What is said about a socket, in both directions, goes over the link.
 *
 * Both ends take the channel below Node's own reading of it.
 */

/** The message that Node writes with a passed socket. */
const PASSED = /"msg":(\d{1,10})\}/;

const nothing = (): void => {};

/** The master's end. */
export class SocketChannelMaster implements SocketChannel {
  readonly #child: ChildProcess;

  /** @throws Error where this Node hides its channel. */
  constructor(child: ChildProcess) {
    const channel = ipcChannelOf(child);
    // In the turn in which it was opened: not a byte has been read.
    if (!channel)
      throw new Error(`Node ${process.versions.node} cannot pass sockets to worker processes in a way that is known to be safe`);
    channel.readStop();
    channel.onread = nothing;
    child.channel?.unref();
    this.#child = child;
  }

  pass(id: number, handle: SocketHandle, failed: () => void): void {
    const child = this.#child;
    if (!child.connected) return void setImmediate(failed);
    // Node knows the type, and the declarations do not: a handle, as the cluster module sends it.
    child.send(id, handle as unknown as Parameters<ChildProcess['send']>[1], error => {
      if (error) failed();
    });
    // Node sends the next one when the last was acknowledged, over the channel. SOCKET_ACK over the link is the acknowledgement here.
    child.emit('internalMessage', { cmd: 'NODE_HANDLE_ACK' });
  }

  /** The worker has a descriptor of its own. */
  release(handle: SocketHandle): void {
    handle.close();
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

/**
 * The worker's end: gives what comes to `received`. False: this process has no IPC channel. Afterwards the process is no forked child to
 * libraries that look for `process.send`.
 */
export function openSocketChannel(owner: NodeJS.Process, received: (id: number, handle: SocketHandle) => void): boolean {
  const channel = ipcChannelOf(owner);
  if (!channel) return false;
  channel.onread = data => {
    const handle = channel.pendingHandle;
    channel.pendingHandle = null;
    if (!data) {
      channel.onread = nothing;
      channel.close();
      return;
    }
    if (!handle) return;
    const id = PASSED.exec(Buffer.from(data).toString('latin1'))?.[1];
    // Unknown, so of no use: the master finds out that it was not taken.
    if (id === undefined) handle.close();
    else received(Number(id), handle);
  };
  Object.assign(owner, { send: undefined, disconnect: undefined });
  return true;
}
