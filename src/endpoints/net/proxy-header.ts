import type { Socket } from 'node:net';
import { guard } from '../../guard.js';
import { asError, ConnectionClosedError, ProxyProtocolError } from '../../errors.js';
import { parseProxyHeader, type ProxyHeader } from './proxy-protocol.js';

/**
 * Takes the header of a proxy from the beginning of a connection. Bytes behind it stay in the socket for the next reader.
 * Nothing else may have read the socket, and nothing is read beyond what the kernel gives with the header.
 * @throws ProxyProtocolError when there is none, or the socket closes before its end. The caller closes the socket.
 */
export function readProxyHeader(socket: Socket): Promise<ProxyHeader> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const done = (): void => void socket.off('readable', read).off('end', left).off('close', left);
    const left = guard(socket, () => {
      done();
      const error = socket.errored ?? new ConnectionClosedError('the peer left');
      reject(new ProxyProtocolError('the connection ended before its PROXY header did', { cause: error }));
    });
    const read = guard(socket, () => {
      for (;;) {
        // Cast: a socket without an encoding gives bytes.
        const chunk = socket.read() as Buffer | null;
        if (chunk === null) return;
        bytes = Buffer.concat([bytes, chunk]);
        let header: ProxyHeader | undefined;
        try {
          header = parseProxyHeader(bytes);
        } catch (error) {
          done();
          reject(asError(error));
          return;
        }
        if (!header) continue;
        done();
        if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
        resolve(header);
        return;
      }
    });
    socket.on('readable', read).on('end', left).on('close', left);
    if (socket.destroyed) left();
  });
}
