import { bindThrough, type KeptSocket } from '../../endpoints/passing/kept-sockets.js';
import type { SocketHandle } from '../../hosts/host.js';
import type { ChildMessage, ParentMessage } from './plan.js';

interface Asked {
  resolve(socket: KeptSocket): void;
  reject(error: Error): void;
}

/** The process that started this one: it keeps the listening sockets, and says when another process takes over. */
export class Parent {
  readonly #asked = new Map<number, Asked>();
  /** Those that this process accepts from. */
  readonly #handles = new Set<SocketHandle>();
  #last = 0;
  /** Called with everything that is not about sockets. */
  onMessage: (message: ParentMessage) => void = () => {};

  /** Begins to listen to the parent; from then on endpoints are bound there. */
  attach(): void {
    process.on('message', (message: ParentMessage, handle: unknown) => this.#hear(message, handle));
    // The parent died: the application closes as at SIGTERM.
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
    // The channel alone does not keep the process running.
    process.channel?.unref();
    bindThrough({ keep: (url, { mode }) => this.#keep(url, mode) });
  }

  tell(message: ChildMessage): void {
    process.send?.(message);
  }

  /** Accepts no more, anywhere; the sockets stay with the parent. */
  stopAccepting(): void {
    for (const handle of this.#handles) handle.close();
    this.#handles.clear();
  }

  #keep(url: string, mode: number | undefined): Promise<KeptSocket> {
    const id = ++this.#last;
    process.channel?.ref();
    return new Promise<KeptSocket>((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.tell({ packet: 'bind', id, url, mode });
    }).finally(() => {
      if (this.#asked.size === 0) process.channel?.unref();
    });
  }

  #hear(message: ParentMessage, handle: unknown): void {
    if (message.packet === 'bound') {
      const { id, url } = message;
      // Sent as the handle that it is: Node makes no server of it.
      const socket = handle as SocketHandle;
      this.#handles.add(socket);
      const release = (): void => {
        this.#handles.delete(socket);
        this.tell({ packet: 'release', url });
      };
      this.#take(id)?.resolve({ handle: socket, url, release });
    } else if (message.packet === 'unbound') {
      const { id, code, message: words } = message;
      this.#take(id)?.reject(Object.assign(new Error(words), { code, syscall: 'bind' }));
    } else this.onMessage(message);
  }

  #take(id: number): Asked | undefined {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked;
  }
}
