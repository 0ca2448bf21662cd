import type { SocketHandle } from '../../hosts/host.js';

/** A listening socket that another process has bound and keeps: this one accepts from it, too. */
export interface KeptSocket {
  readonly handle: SocketHandle;
  /** As it was bound: port 0 is replaced. */
  readonly url: string;
  /** This process accepts no more. */
  release(): void;
}

/** The process that keeps the listening sockets of this one: they outlive it. */
export interface SocketKeeper {
  /**
   * A socket bound to a `tcp:` or `unix:` url, which this process does not have yet.
   * @throws Error with the system's code.
   */
  keep(url: string, options: { readonly mode?: number | undefined }): Promise<KeptSocket>;
}

/** `tcp://host:port`, with an IPv6 address in brackets. */
export function tcpUrl(host: string, port: number): string {
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

let keeper: SocketKeeper | undefined;

/** From now on endpoints are bound by that process. Said once, before anything listens. */
export function bindThrough(process: SocketKeeper): void {
  keeper = process;
}

/** Undefined: this process binds for itself. */
export function socketKeeper(): SocketKeeper | undefined {
  return keeper;
}
