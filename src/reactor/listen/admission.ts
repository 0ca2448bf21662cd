import { BlockList, isIPv6 } from 'node:net';
import type { Limits as WrittenLimits } from '../../decorators/connection/endpoint-types.js';
import { isLoopback, mappedIPv4, peerGroup } from '../../endpoints/address.js';
import type { Remote } from '../../endpoints/endpoint.js';
import { ConfigurationError } from '../../errors.js';
import type { ConnectionLimits } from '../../session/limits.js';

/** Why a connection was not let in, by the name of the option. */
export type Refusal = 'maxConnections' | 'maxPerPeer' | 'allow' | 'deny' | 'proxyProtocol';

function blockList(option: string, ranges: readonly string[] | undefined): BlockList | undefined {
  if (!ranges) return undefined;
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    try {
      if (prefix === undefined) list.addAddress(address, family);
      else list.addSubnet(address, Number(prefix), family);
    } catch {
      throw new ConfigurationError([
        { where: option, wrong: `'${range}' is no address or range`, remedy: "write '10.1.2.3', '10.0.0.0/8' or 'fd00::/8'" },
      ]);
    }
  }
  return list;
}

function lists(list: BlockList, address: string): boolean {
  // An IPv4 client of an IPv6 socket is still an IPv4 client.
  const mapped = mappedIPv4(address);
  if (mapped !== undefined && list.check(mapped, 'ipv4')) return true;
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/**
 * The rule of `proxyProtocol`: whether an address may name another client. Undefined: there are no proxies. Where there is no address, as
 * on a unix socket, permissions have decided which processes may connect.
 * @throws ConfigurationError for a range that is none.
 */
export function proxyRule({
  proxyProtocol,
}: Pick<WrittenLimits, 'proxyProtocol'>): ((from: Pick<Remote, 'address'>) => boolean) | undefined {
  const proxies = blockList('proxyProtocol.from', proxyProtocol?.from);
  return proxies && (({ address }) => address === undefined || lists(proxies, address));
}

/** Peers without a connection that are remembered; beyond, those go when they are the half of all. */
const MOST_UNUSED = 1_000;

/**
 * How many connections each peer has. A peer is not forgotten with its last one: clients that come and go would have the map make new
 * tables all the time, which the garbage collector is late to take (see {@link UnorderedList}).
 */
class PeerCounts {
  readonly #counts = new Map<string, { open: number }>();
  #unused = 0;

  openOf(peer: string): number {
    return this.#counts.get(peer)?.open ?? 0;
  }

  add(peer: string): void {
    const count = this.#counts.get(peer);
    if (!count) this.#counts.set(peer, { open: 1 });
    else if (count.open++ === 0) this.#unused--;
  }

  remove(peer: string): void {
    const count = this.#counts.get(peer);
    if (!count || count.open === 0 || --count.open > 0) return;
    this.#unused++;
    if (this.#unused > MOST_UNUSED && this.#unused > this.#counts.size / 2) this.#forgetUnused();
  }

  #forgetUnused(): void {
    for (const [peer, { open }] of this.#counts) if (open === 0) this.#counts.delete(peer);
    this.#unused = 0;
  }
}

/** Admission to one listener: counts and address rules. Pure bookkeeping, no sockets. */
export class Admission {
  readonly #limits: ConnectionLimits;
  readonly #allow: BlockList | undefined;
  readonly #deny: BlockList | undefined;
  /** The default of `maxPerPeer`, which leaves the loopback out; undefined where the option is written. */
  readonly #defaultPerPeer: number | undefined;
  /** Open connections by {@link peerGroup}. */
  readonly #perPeer = new PeerCounts();
  #count = 0;
  /** Whether the connecting address is a proxy; undefined: there are none. */
  readonly isProxy: ReturnType<typeof proxyRule>;

  /** @throws ConfigurationError for a range that is none. */
  constructor(limits: ConnectionLimits, options: Pick<WrittenLimits, 'allow' | 'deny' | 'proxyProtocol' | 'maxPerPeer'>) {
    this.#limits = limits;
    this.#allow = blockList('allow', options.allow);
    this.#deny = blockList('deny', options.deny);
    this.isProxy = proxyRule(options);
    if (options.maxPerPeer === undefined) this.#defaultPerPeer = limits.maxPerPeer;
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count >= this.#limits.maxConnections;
  }

  /** The verdict of the address rules; nothing is counted. */
  refusal({ address }: Pick<Remote, 'address'>): 'allow' | 'deny' | undefined {
    if (address === undefined) return undefined;
    if (this.#deny && lists(this.#deny, address)) return 'deny';
    return this.#allow && !lists(this.#allow, address) ? 'allow' : undefined;
  }

  /** Lets a connection in and counts it, or says why not. Where there is no address, no address rule applies. */
  enter(remote: Pick<Remote, 'address'>): Refusal | undefined {
    const { address } = remote;
    const refused = this.refusal(remote);
    if (refused) return refused;
    if (this.isFull) return 'maxConnections';
    if (address !== undefined) {
      const peer = peerGroup(address);
      if (this.#perPeer.openOf(peer) >= this.#maxPerPeer(address)) return 'maxPerPeer';
      // Counted even while the limit is off: it can be switched on.
      this.#perPeer.add(peer);
    }
    this.#count++;
    return undefined;
  }

  leave({ address }: Pick<Remote, 'address'>): void {
    this.#count--;
    if (address !== undefined) this.#perPeer.remove(peerGroup(address));
  }

  #maxPerPeer(address: string): number {
    const { maxPerPeer } = this.#limits;
    return maxPerPeer === this.#defaultPerPeer && isLoopback(address) ? Infinity : maxPerPeer;
  }
}
