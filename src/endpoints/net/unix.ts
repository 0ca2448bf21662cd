import { existsSync, lstatSync, unlinkSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { connect as dial, type Socket } from 'node:net';
import { guard } from '../../guard.js';
import { dirname, resolve } from 'node:path';
import { ListenError } from '../../errors.js';
import type { Acceptor, Bound, EndpointTarget, Remote, Scheme, Transport } from '../endpoint.js';
import { registerScheme } from '../endpoint.js';
import { dialSocket } from './net-dial.js';
import { NetListener } from './net-listener.js';
import { SocketTransport, type Places } from './socket-transport.js';
import { listenError } from '../system-errors.js';
import { backlogOf, tcpPlaceOf } from './tcp.js';

const MODE = 0o600;
/** Bytes of a path that fit into a socket address, without the terminating zero. The kernel's limit; on some systems it is smaller. */
const LONGEST = process.platform === 'linux' ? 107 : 103;

/** The path of `unix:/run/app.sock` or `unix:relative.sock`. */
export function unixPathOf(url: string): string {
  return url.replace(/^unix:(\/\/(?=\/))?/i, '');
}

/** Sockets to (or from) a path as transports. */
export function unixTransport(path: string | undefined, isClient: boolean): (socket: Socket) => Transport {
  // The side that dialled has no name of its own.
  const named: Remote = path === undefined ? { url: 'unix:' } : { url: `unix:${path}`, path };
  const nameless: Remote = { url: 'unix:' };
  const [remote, local] = isClient ? [named, nameless] : [nameless, named];
  // An address is a proxy's word: it has a TCP client.
  const places: Places = {
    remote: (address, port) => (address === undefined ? remote : tcpPlaceOf('tcp', address, port)),
    local: () => local,
  };
  return socket => new SocketTransport(socket, places);
}

function codeOf(error: unknown): unknown {
  const cause = error instanceof ListenError ? error.cause : error;
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}

/** Whether a process accepts at that socket file. */
function isLive(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = dial({ path });
    probe.once(
      'connect',
      guard(probe, () => {
        probe.destroy();
        resolve(true);
      }),
    );
    probe.once(
      'error',
      guard(probe, (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
        // A full backlog or a missing permission: the socket is in use.
        else if (error.code === 'EAGAIN' || error.code === 'EACCES') resolve(true);
        else reject(error);
      }),
    );
  });
}

/** Removes a socket file that no process listens on. Throws ListenError when it is in use or no socket. */
export async function replaceStale(url: string, path: string): Promise<void> {
  try {
    const found = await lstat(path, { bigint: true });
    // A plain file answers like a stale socket; it is not ours to remove.
    if (!found.isSocket()) throw new ListenError(url, 'there is a file that is no socket');
    if (await isLive(path)) throw new ListenError(url, 'something listens there already');
    // Two that start at once find the same stale file: the slower one must not remove what the quicker one has put there, be it by the same number.
    const { ino, ctimeNs } = lstatSync(path, { bigint: true });
    if (ino === found.ino && ctimeNs === found.ctimeNs) unlinkSync(path);
  } catch (error) {
    if (error instanceof ListenError) throw error;
    if (codeOf(error) !== 'ENOENT') throw listenError(url, error);
  }
}

/** The file is made by the bind, which happens inside this call: at no moment is it open to others. */
export function withMode<T>({ options }: EndpointTarget, bind: () => T): T {
  const mode = (options['mode'] as number | undefined) ?? MODE;
  const before = process.umask(0o777 & ~mode);
  try {
    return bind();
  } finally {
    process.umask(before);
  }
}

async function listen(target: EndpointTarget, acceptor: Acceptor): Promise<Bound> {
  const { url, options } = target;
  const path = unixPathOf(url);
  const backlog = backlogOf(options);
  const around = (bind: () => void): void => withMode(target, bind);
  const bind = (): Promise<NetListener> => NetListener.bind(target, {}, { path, backlog }, unixTransport(path, false), acceptor, around);
  const listener = await bind().catch(async (error: unknown) => {
    // libuv tells of a missing folder as if permission to it were denied.
    if (codeOf(error) === 'EACCES' && !existsSync(dirname(path)))
      throw new ListenError(url, `there is no folder ${dirname(resolve(path))}`);
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    await replaceStale(url, path);
    return bind();
  });
  // The file goes with the descriptor: libuv removes it before it closes the socket.
  return { address: { url: `unix:${path}`, host: '', port: 0, path }, close: () => listener.close() };
}

function connect({ url }: EndpointTarget, signal: AbortSignal): Promise<Transport> {
  const path = unixPathOf(url);
  // As everybody writes the abstract names of Linux: the kernel has a zero byte there.
  return dialSocket(url, { path: path.replace(/^@/, '\0') }, signal, unixTransport(path, true));
}

/** `unix:/run/app.sock`, with `mode` 0600 unless said otherwise. A stale file is replaced, a live one is an error; removed at close. */
export const unix: Scheme = {
  name: 'unix',
  proxied: true,
  carrier: url => url,
  listen,
  connect,
  check: ({ url }, use) => {
    const path = unixPathOf(url);
    if (path === '') return "it has no path: write 'unix:/run/app.sock'";
    if (use === 'listen' && path.startsWith('@'))
      return `abstract sockets have no permissions, everybody on the machine could connect: write a path (for a file of that name './${path}')`;
    const bytes = Buffer.byteLength(path);
    return bytes > LONGEST ? `its path has ${bytes} bytes, and a socket address holds ${LONGEST}` : undefined;
  },
};

registerScheme(unix);
