import { createHash } from 'node:crypto';

/** Weight of a host for a key: every caller computes the same. */
function weightOf(key: string, host: string): number {
  return createHash('sha256').update(`${key}\0${host}`).digest().readUInt32LE(0);
}

/**
 * Rendezvous hashing: the hosts in the order in which they own a key. When one goes, only its keys move; when one comes, only those that
 * become its own.
 */
export function byOwnership<T extends { readonly name: string }>(key: string, hosts: readonly T[]): T[] {
  const weighed = hosts.map(host => ({ host, weight: weightOf(key, host.name) }));
  return weighed.sort((a, b) => b.weight - a.weight || (a.host.name < b.host.name ? -1 : 1)).map(({ host }) => host);
}

/**
 * The hosts that one caller links to: those of its own zone first, at most `most`, chosen by the caller's id so that callers spread evenly.
 * A thousand callers of a thousand hosts hold `1000 × most` links and not a million.
 */
export function subsetFor<T extends { readonly name: string; readonly zone?: string | undefined }>(
  caller: string,
  zone: string | undefined,
  hosts: readonly T[],
  most: number,
): T[] {
  const near = zone === undefined ? hosts : hosts.filter(host => host.zone === zone);
  const far = zone === undefined ? [] : hosts.filter(host => host.zone !== zone);
  // Others only serve where the own zone has none.
  return byOwnership(caller, near.length > 0 ? near : far).slice(0, most);
}

/** The better of two random ones: least load without everyone running to the same one. */
export function betterOfTwo<T>(
  candidates: readonly T[],
  load: (candidate: T) => number,
  random: () => number = Math.random,
): T | undefined {
  if (candidates.length < 2) return candidates[0];
  const first = Math.floor(random() * candidates.length);
  const second = (first + 1 + Math.floor(random() * (candidates.length - 1))) % candidates.length;
  const [a, b] = [candidates[first]!, candidates[second]!];
  return load(b) < load(a) ? b : a;
}
