import type { SocketHandle } from '../../hosts/host.js';
import type { BoundAddress, EndpointTarget } from '../endpoint.js';
import { bindHandle } from './passed-socket.js';
import { socketKeeper, type KeptSocket } from './kept-sockets.js';
import { listenError } from '../system-errors.js';
import { hostAndPort, tcpUrlOf } from '../net/tcp.js';
import { unixPathOf, replaceStale, withMode } from '../net/unix.js';
import { nodeDns } from '../node-modules.js';

/** A socket that is bound here and accepted from elsewhere. */
export interface SharedSocket {
  readonly address: BoundAddress;
  readonly handle: SocketHandle;
  /** Closes our descriptor; processes with a copy still accept. */
  close(): void;
}

/**
 * Binds a tcp: or unix: endpoint for other processes to accept from. While it is open here, connections wait until one accepts them.
 * @throws ListenError
 */
export async function bindShared(target: EndpointTarget): Promise<SharedSocket> {
  const { url, options } = target;
  try {
    const kept = await socketKeeper()?.keep(url, { mode: options['mode'] as number | undefined });
    if (kept) return { address: addressOf(kept.url), handle: kept.handle, close: () => closeKept(kept) };
    return /^unix:/i.test(url) ? await bindPath(target) : await bindPort(url);
  } catch (error) {
    throw listenError(url, error);
  }
}

function closeKept({ handle, release }: KeptSocket): void {
  handle.close();
  release();
}

function addressOf(url: string): BoundAddress {
  if (/^unix:/i.test(url)) return { url, host: '', port: 0, path: unixPathOf(url) };
  return { url, ...hostAndPort(url)! };
}

async function bindPort(url: string): Promise<SharedSocket> {
  const where = hostAndPort(url)!;
  const { address: host, family } = await nodeDns().lookup(where.host);
  const { handle, port } = bindHandle(host, where.port, family);
  return { address: { url: tcpUrlOf('tcp', host, port), host, port }, handle, close: () => handle.close() };
}

async function bindPath(target: EndpointTarget): Promise<SharedSocket> {
  const { url } = target;
  const path = unixPathOf(url);
  const bind = (): SocketHandle => withMode(target, () => bindHandle(path, -1, -1).handle);
  let handle: SocketHandle;
  try {
    handle = bind();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    await replaceStale(url, path);
    handle = bind();
  }
  return { address: { url: `unix:${path}`, host: '', port: 0, path }, handle, close: () => handle.close() };
}
