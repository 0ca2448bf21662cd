import { Socket } from 'node:net';
import { ConnectError, ListenError } from '../../errors.js';
import type { Acceptor, Bound, EndpointTarget, Scheme, Transport } from '../endpoint.js';
import { registerScheme } from '../endpoint.js';
import { adopt, inheritedTransport, listenOn } from './inherited.js';
import { aborted, connectError } from '../system-errors.js';

function descriptorOf(url: string): number {
  return Number(/^fd:(\d{1,9})$/.exec(url)?.[1]);
}

async function listen(target: EndpointTarget, acceptor: Acceptor): Promise<Bound> {
  const descriptor = descriptorOf(target.url);
  const found = adopt(descriptor, true);
  if (typeof found === 'string') throw new ListenError(target.url, found);
  return listenOn(descriptor, found, target, acceptor);
}

function connect({ url }: EndpointTarget, signal: AbortSignal): Promise<Transport> {
  if (signal.aborted) return Promise.reject(aborted(url, signal));
  const fd = descriptorOf(url);
  const found = adopt(fd, false);
  if (typeof found === 'string') return Promise.reject(new ConnectError(url, 'refused', found));
  try {
    return Promise.resolve(inheritedTransport(new Socket({ fd, readable: true, writable: true, allowHalfOpen: true }), found, true));
  } catch (error) {
    return Promise.reject(connectError(url, error));
  }
}

/**
 * `fd:3`: a socket that the process's parent left open for it. Listening, it is a listening TCP or unix socket; connecting, a connection.
 * It can be had once, and children do not inherit it.
 */
export const fd: Scheme = {
  name: 'fd',
  proxied: true,
  listen,
  connect,
  once: true,
  check: ({ url }) => (Number.isNaN(descriptorOf(url)) ? "write the number of a descriptor, as in 'fd:3'" : undefined),
};

registerScheme(fd);
