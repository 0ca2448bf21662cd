import type { Duplex } from 'node:stream';
import type { HostSpec, SocketHandle } from './host.js';

/** A worker that was started inside this process. */
export interface InlineWorker {
  /** The highest call id that it may have begun. */
  mark(): number;
  /** A socket for it. */
  receive?(id: number, handle: SocketHandle): void;
}

export interface InlineHostOptions {
  /** Two streams, each of which reads what the other one writes. */
  pair(): [Duplex, Duplex];
  /** Starts a worker on its end of the link. `ended`: it has finished by itself. `abandoned`: it is over, and had not begun with that socket. */
  start(stream: Duplex, spec: HostSpec, ended: (clean: boolean) => void, abandoned: (handle: SocketHandle) => void): InlineWorker;
}
