import type { LookupAddress } from 'node:dns';
import { connect, isIP, type NetConnectOpts, type Socket } from 'node:net';
import { onAbort } from '../../abort-listeners.js';
import { asError } from '../../errors.js';
import { dialAddresses } from './dial-addresses.js';
import type { Transport } from '../endpoint.js';
import { nodeDns } from '../node-modules.js';
import { aborted, connectError } from '../system-errors.js';

/** The addresses of a host name; an address is its own. */
async function addressesOf(host: string): Promise<readonly LookupAddress[]> {
  const family = isIP(host);
  return family === 0 ? nodeDns().lookup(host, { all: true }) : [{ address: host, family }];
}

/**
 * Dials once with a Node socket, at a path or at all addresses of a host; half-closing is the session's business.
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
    let cancel = (): void => {};
    const giveUp = (): void => {
      reject(aborted(url, signal));
      cancel();
    };
    const settle = onAbort(signal, giveUp);
    const failed = (error: Error): void => {
      settle();
      reject(connectError(url, error));
    };
    const dial = (addresses: readonly LookupAddress[]): void => {
      if (signal.aborted) return;
      const attempt = ({ address }: LookupAddress): Socket =>
        connect('path' in where ? { ...where, allowHalfOpen: true } : { ...where, host: address, allowHalfOpen: true });
      cancel = dialAddresses(addresses, attempt, {
        onConnected: socket => {
          settle();
          // The transport listens for errors before the dial ceases to.
          resolve(toTransport(socket));
        },
        onFailed: errors => failed(errors.length === 1 ? errors[0]! : new AggregateError(errors)),
      });
    };
    // A path has one place, whatever it is called.
    if ('path' in where) dial([{ address: '', family: 0 }]);
    else addressesOf(where.host ?? 'localhost').then(dial, (error: unknown) => failed(asError(error)));
  });
}
