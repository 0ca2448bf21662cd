/** Weight of a host for a key: every caller computes the same. FNV-1a, with the last step of MurmurHash3 that spreads it. */
function weightOf(key: string, host: string): number {
  let hash = 0x811c9dc5;
  const text = `${key}\0${host}`;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A host, as far as it is chosen. Its name outlives its process; `id` tells hosts of one name apart. */
interface Choosable {
  readonly name: string;
  readonly id?: string | undefined;
}

/**
 * Rendezvous hashing: the hosts in the order in which they own a key. When one goes, only its keys move; when one comes, only those that
 * become its own.
 */
export function byOwnership<T extends Choosable>(key: string, hosts: readonly T[]): T[] {
  const weighed = hosts.map(host => ({ host, weight: weightOf(key, host.name) }));
  return weighed
    .sort((a, b) => b.weight - a.weight || order(a.host.name, b.host.name) || order(a.host.id, b.host.id))
    .map(({ host }) => host);
}

function order(a = '', b = ''): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The hosts that one caller links to: those of its own zone first, at most `most`, chosen by the caller's id so that callers spread evenly.
 * A thousand callers of a thousand hosts hold `1000 × most` links and not a million.
 */
export function subsetFor<T extends Choosable & { readonly zone?: string | undefined }>(
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
