import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { failing, guard } from '../guard.js';
import type { Transport } from './endpoint.js';
import { aborted, connectError } from './system-errors.js';

/**
 * Dials once with a Node socket; half-closing is the session's business.
 * @throws ConnectError
 */
export function dialSocket(
  url: string,
  where: NetConnectOpts,
  signal: AbortSignal,
  toTransport: (socket: Socket) => Transport,
): Promise<Transport> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(aborted(url, signal));
      return;
    }
    const socket = connect({ ...where, allowHalfOpen: true });
    const giveUp = (): void => {
      reject(aborted(url, signal));
      socket.destroy();
    };
    const victim = failing(error => {
      socket.destroy();
      reject(connectError(url, error));
    });
    const failed = guard(victim, (error: Error) => {
      signal.removeEventListener('abort', giveUp);
      reject(connectError(url, error));
    });
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('error', failed);
    socket.once(
      'connect',
      guard(victim, () => {
        signal.removeEventListener('abort', giveUp);
        // The transport listens for errors before we cease to.
        const transport = toTransport(socket);
        socket.off('error', failed);
        resolve(transport);
      }),
    );
  });
}
