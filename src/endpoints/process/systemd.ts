import { ListenError } from '../../errors.js';
import { HANDED_OVER } from '../../hosts/launch/environment.js';
import type { Acceptor, Bound, EndpointTarget, Scheme } from '../endpoint.js';
import { registerScheme } from '../endpoint.js';
import { adopt, listenOn } from './inherited.js';

/** The first descriptor that systemd hands over. */
const FIRST = 3;
/** Name of a descriptor that the unit gives none. */
const NAMELESS = 'unknown';

/** The names of the descriptors from 3 on; or, in words, why there are none. */
type Handed = readonly string[] | string;

/** Reads the protocol of `sd_listen_fds(3)`. */
export function readHanded(env: Readonly<Record<string, string | undefined>>, pid: number): Handed {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env;
  if (LISTEN_FDS === undefined) return 'no sockets were handed to this process: LISTEN_FDS is not set (is there a .socket unit?)';
  if (LISTEN_PID !== String(pid))
    return `the sockets were handed to process ${LISTEN_PID ?? '?'}, and this is ${pid}: let the unit start node itself, without npm or a shell in between`;
  const count = Number(LISTEN_FDS);
  if (!Number.isInteger(count) || count < 1) return `LISTEN_FDS is '${LISTEN_FDS}', which is no number of sockets`;
  const names = LISTEN_FDNAMES === undefined ? [] : LISTEN_FDNAMES.split(':');
  return Array.from({ length: count }, (_, at) => names[at] || NAMELESS);
}

let handed: Handed | undefined;

/** Read once; children must not take for theirs what was handed to this process. */
function take(): Handed {
  if (handed === undefined) {
    handed = readHanded(process.env, process.pid);
    for (const name of HANDED_OVER) delete process.env[name];
  }
  return handed;
}

/** The descriptors of a name; a number that is no name counts from the first. */
export function descriptorsOf(names: readonly string[], name: string): readonly number[] {
  const named = names.flatMap((each, at) => (each === name ? [FIRST + at] : []));
  if (named.length > 0 || !/^\d+$/.test(name)) return named;
  return Number(name) < names.length ? [FIRST + Number(name)] : [];
}

function nameOf(url: string): string {
  return url.replace(/^systemd:/i, '');
}

async function listen(target: EndpointTarget, acceptor: Acceptor): Promise<Bound> {
  const { url } = target;
  const names = take();
  if (typeof names === 'string') throw new ListenError(url, names);
  const descriptors = descriptorsOf(names, nameOf(url));
  if (descriptors.length === 0)
    throw new ListenError(url, `no socket has that name: there are ${names.map(name => `'${name}'`).join(', ')}`);
  const bound: Bound[] = [];
  const close = async (): Promise<void> => void (await Promise.all(bound.map(each => each.close())));
  try {
    // A unit with several ListenStream= gives all of them one name.
    for (const descriptor of descriptors) {
      const found = adopt(descriptor, true);
      if (typeof found === 'string') throw new ListenError(url, found);
      bound.push(await listenOn(descriptor, found, target, acceptor));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { address: bound[0]!.address, addresses: bound.map(({ address }) => address), inherited: true, close };
}

/**
 * `systemd:name`: the listening sockets that systemd (or `systemd-socket-activate`) hands over under that name, `FileDescriptorName=` of
 * the unit; or, by number, `systemd:0`. A socket's file is never removed: it is systemd's.
 */
export const systemd: Scheme = {
  name: 'systemd',
  proxied: true,
  listen,
  check: ({ url }) =>
    nameOf(url) === '' ? "it has no name: write 'systemd:' and the FileDescriptorName of the unit, or 'systemd:0'" : undefined,
};

registerScheme(systemd);
