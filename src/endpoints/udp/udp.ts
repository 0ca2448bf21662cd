import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';
import type { LookupAddress } from 'node:dns';
import { onAbort } from '../../abort-listeners.js';
import { ListenError } from '../../errors.js';
import type { Acceptor, Bound, EndpointTarget, Scheme, Transport } from '../endpoint.js';
import { registerScheme } from '../endpoint.js';
import { aborted, connectError, listenError } from '../system-errors.js';
import { checkHostAndPort, hostAndPort, tcpUrlOf } from '../net/tcp.js';
import { UdpTransport, udpPlace } from './udp-transport.js';
import { nodeDgram, nodeDns } from '../node-modules.js';

interface Multicast {
  readonly groups: readonly string[];
  readonly interface?: string;
  readonly ttl?: number;
  readonly loopback?: boolean;
}

interface UdpOptions {
  readonly broadcast?: boolean;
  readonly multicast?: Multicast;
}

type Family = 'udp4' | 'udp6';

function familyOf(address: string): Family {
  return isIP(address) === 6 ? 'udp6' : 'udp4';
}

function isGroup(address: string): boolean {
  return isIP(address) === 6 ? /^ff/i.test(address) : /^(22[4-9]|23\d)\./.test(address);
}

/** Sets the options that only a bound socket takes. */
function prepare(socket: Socket, { broadcast, multicast }: UdpOptions): void {
  if (broadcast) socket.setBroadcast(true);
  if (!multicast) return;
  if (multicast.interface !== undefined) socket.setMulticastInterface(multicast.interface);
  if (multicast.ttl !== undefined) socket.setMulticastTTL(multicast.ttl);
  if (multicast.loopback !== undefined) socket.setMulticastLoopback(multicast.loopback);
  for (const group of multicast.groups) socket.addMembership(group, multicast.interface);
}

/** Runs a system call whose outcome is an event. */
async function settled(socket: Socket, event: 'listening' | 'connect', call: () => void): Promise<void> {
  const told = once(socket, event);
  call();
  await told;
}

/** A socket on which `use` succeeded; otherwise it is closed. */
async function socketFor<T>(family: Family, options: UdpOptions, use: (socket: Socket) => Promise<T>): Promise<T> {
  // Several programs of one machine may listen to one group.
  const socket = nodeDgram().createSocket({ type: family, reuseAddr: options.multicast !== undefined, ipv6Only: false });
  try {
    return await use(socket);
  } catch (error) {
    socket.on('error', () => {});
    socket.close();
    throw error;
  }
}

async function listen({ url, options }: EndpointTarget, acceptor: Acceptor): Promise<Bound> {
  // The blueprint has checked the url and the options.
  const { host, port } = hostAndPort(url)!;
  let transport: UdpTransport;
  try {
    const { address } = await nodeDns().lookup(host);
    const family = familyOf(address);
    transport = await socketFor(family, options, async socket => {
      await settled(socket, 'listening', () => socket.bind({ address, port }));
      prepare(socket, options);
      return new UdpTransport(socket, { family, target: undefined, connected: false });
    });
  } catch (error) {
    throw listenError(url, error);
  }
  const { address = '', port: bound = 0 } = transport.local;
  // One socket, one connection: it is there from the beginning.
  acceptor.accept(transport);
  if (transport.closed) throw new ListenError(url, 'the connection that stands for its socket was refused or could not be made');
  return { address: { url: tcpUrlOf('udp', address, bound), host: address, port: bound }, shared: true, close: () => transport.retire() };
}

/** One address of a name. A group or a broadcast is answered by others than it: there the kernel must not filter. */
function open({ address }: LookupAddress, port: number, options: UdpOptions): Promise<UdpTransport> {
  const family = familyOf(address);
  const connected = !isGroup(address) && options.broadcast !== true;
  return socketFor(family, options, async socket => {
    await settled(socket, 'listening', () => socket.bind());
    prepare(socket, options);
    if (connected) await settled(socket, 'connect', () => socket.connect(port, address));
    return new UdpTransport(socket, { family, target: udpPlace(address, port), connected });
  });
}

async function openFirst({ url, options }: EndpointTarget, signal: AbortSignal): Promise<Transport> {
  const { host, port } = hostAndPort(url)!;
  const addresses = await nodeDns().lookup(host, { all: true });
  const errors: unknown[] = [];
  for (const each of addresses) {
    signal.throwIfAborted();
    try {
      return await open(each, port, options);
    } catch (error) {
      errors.push(error);
    }
  }
  throw new AggregateError(errors);
}

function connect(target: EndpointTarget, signal: AbortSignal): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(aborted(target.url, signal));
    const forget = onAbort(signal, giveUp);
    if (signal.aborted) giveUp();
    openFirst(target, signal)
      .then(
        transport => (signal.aborted ? transport.destroy() : resolve(transport)),
        (error: unknown) => reject(connectError(target.url, error)),
      )
      .finally(forget);
  });
}

function check({ url, options }: EndpointTarget, use: 'listen' | 'connect'): string | undefined {
  const wrong = checkHostAndPort(url, use);
  if (wrong !== undefined) return wrong;
  const parts = hostAndPort(url)!;
  const { broadcast, multicast } = options as UdpOptions;
  if (broadcast && isIP(parts.host) === 6) return 'IPv6 has no broadcast: use a multicast group';
  for (const group of multicast?.groups ?? []) {
    if (!isGroup(group)) return `'${group}' is no multicast group (224.0.0.0/4 or ff00::/8)`;
    if (isIP(parts.host) !== 0 && isIP(parts.host) !== isIP(group)) return `the group '${group}' is of the other address family`;
  }
  return undefined;
}

/**
 * `udp://host:port`. Listening, one connection stands for the socket and hears everybody; connected, it hears the target alone,
 * unless that is a group or a broadcast address, which others answer for.
 */
export const udp: Scheme = { name: 'udp', listen, connect, check };

registerScheme(udp);
