import { BlockList, isIPv6 } from 'node:net';
import type { Limits as WrittenLimits } from '../decorators/endpoint-types.js';
import type { Remote } from '../endpoints/endpoint.js';
import { ConfigurationError } from '../errors.js';
import type { Limits } from './limits.js';

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
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined && list.check(mapped, 'ipv4')) return true;
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/**
 * Of `proxyProtocol`: whether somebody's word counts on who its client is. Undefined: there are no proxies. Where there is no address, as on a
 * unix socket, permissions have decided who may connect.
 * @throws ConfigurationError for a range that is none.
 */
export function proxyRule({
  proxyProtocol,
}: Pick<WrittenLimits, 'proxyProtocol'>): ((from: Pick<Remote, 'address'>) => boolean) | undefined {
  const proxies = blockList('proxyProtocol.from', proxyProtocol?.from);
  return proxies && (({ address }) => address === undefined || lists(proxies, address));
}

/** Who may connect to one listener: counts and address rules. Pure bookkeeping, no sockets. */
export class Admission {
  readonly #limits: Limits;
  readonly #allow: BlockList | undefined;
  readonly #deny: BlockList | undefined;
  readonly #perPeer = new Map<string, number>();
  #count = 0;
  /** Whether it is a proxy who connects; undefined: there are none. */
  readonly isProxy: ReturnType<typeof proxyRule>;

  /** @throws ConfigurationError for a range that is none. */
  constructor(limits: Limits, options: Pick<WrittenLimits, 'allow' | 'deny' | 'proxyProtocol'>) {
    this.#limits = limits;
    this.#allow = blockList('allow', options.allow);
    this.#deny = blockList('deny', options.deny);
    this.isProxy = proxyRule(options);
  }

  get count(): number {
    return this.#count;
  }

  get full(): boolean {
    return this.#count >= this.#limits.maxConnections;
  }

  /** What the address rules say; nothing is counted. */
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
    if (this.full) return 'maxConnections';
    if (address !== undefined) {
      const before = this.#perPeer.get(address) ?? 0;
      if (before >= this.#limits.maxPerPeer) return 'maxPerPeer';
      // Counted even while the limit is off: it can be switched on.
      this.#perPeer.set(address, before + 1);
    }
    this.#count++;
    return undefined;
  }

  leave({ address }: Pick<Remote, 'address'>): void {
    this.#count--;
    if (address === undefined) return;
    const left = (this.#perPeer.get(address) ?? 1) - 1;
    if (left > 0) this.#perPeer.set(address, left);
    else this.#perPeer.delete(address);
  }
}
