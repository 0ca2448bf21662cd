import { bindShared, type SharedSocket } from '../../endpoints/passing/shared-socket.js';

/** A socket that is kept, and the processes that accept from it. */
interface Kept {
  /** As it was asked for, port 0 with a number: what the next process asks for, too. */
  readonly name: string;
  readonly socket: SharedSocket;
  readonly holders: Set<object>;
}

/** Ports that the system picks: the first that a process asks for is the first of the next one. */
const PICKED = /^tcp:.*:0$/i;

/**
 * The listening sockets of a command. A process that takes over from another one accepts from the same sockets: connections wait in the
 * kernel, and none is refused. A socket from which no process accepts any more is closed.
 */
export class SocketStore {
  readonly #kept = new Set<Kept>();

  /** The socket of a url for this holder. Rejects with what the system says, or EADDRINUSE when the holder has it already. */
  async take(holder: object, url: string, mode: number | undefined): Promise<SharedSocket> {
    const name = PICKED.test(url) ? `${url}#${this.#picked(holder, url)}` : url;
    const known = [...this.#kept].find(kept => (kept.name === name || kept.socket.address.url === url) && !kept.holders.has(holder));
    if (known) {
      known.holders.add(holder);
      return known.socket;
    }
    if ([...this.#kept].some(kept => kept.socket.address.url === url))
      throw Object.assign(new Error(`bind EADDRINUSE: ${url}`), { code: 'EADDRINUSE' });
    const socket = await bindShared({ url, options: mode === undefined ? {} : { mode } });
    this.#kept.add({ name, socket, holders: new Set([holder]) });
    return socket;
  }

  /** This holder accepts no more from the socket that was bound at `url`. */
  release(holder: object, url: string): void {
    for (const kept of this.#kept) if (kept.socket.address.url === url) this.#leave(kept, holder);
  }

  /** This holder is gone. */
  releaseAll(holder: object): void {
    for (const kept of this.#kept) this.#leave(kept, holder);
  }

  #leave(kept: Kept, holder: object): void {
    if (!kept.holders.delete(holder) || kept.holders.size > 0) return;
    this.#kept.delete(kept);
    kept.socket.close();
  }

  #picked(holder: object, url: string): number {
    return [...this.#kept].filter(({ name, holders }) => name.startsWith(`${url}#`) && holders.has(holder)).length;
  }
}
