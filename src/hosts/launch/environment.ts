import { readFileSync } from 'node:fs';
import { inheritedFlags, joinNodeOptions, splitNodeOptions, withoutRights } from './flags.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that a worker gets even if it names its own environment. */
const BASE = ['PATH', 'HOME', 'TZ', 'LANG', 'NODE_ENV'];

/** By which systemd tells a process what sockets it hands over: meant for that process alone. */
export const HANDED_OVER = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'] as const;

interface User {
  readonly name: string;
  readonly home: string;
}

/** The user of a uid, from the system's own list; a uid without an entry gets its number as a name and `/` as its home. */
function userOf(uid: number): User {
  try {
    for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
      const [name, , id, , , home] = line.split(':');
      if (name && id === String(uid)) return { name, home: home || '/' };
    }
  } catch {
    // No such file: the same as no such entry.
  }
  return { name: String(uid), home: '/' };
}

/**
 * The environment of a worker, and the flags that must then be given to it in NODE_OPTIONS's place.
 * @param restricted the worker has `permissions`: what NODE_OPTIONS grants the master is left out
 * @example childEnvironment({ TOKEN: 'x' }, undefined, process.env) // { env: { PATH, HOME, …, TOKEN: 'x' }, flags: ['--import', 'tsx'] }
 */
export function childEnvironment(
  listed: Environment | undefined,
  uid: number | undefined,
  parent: Environment,
  restricted = false,
): { env: Record<string, string>; flags: string[] } {
  const env: Record<string, string | undefined> = {};
  const all = inheritedFlags(splitNodeOptions(parent['NODE_OPTIONS'] ?? ''));
  const options = restricted ? withoutRights(all) : all;
  if (listed) for (const name of BASE) env[name] = parent[name];
  else {
    Object.assign(env, parent);
    for (const name of HANDED_OVER) delete env[name];
    env['NODE_OPTIONS'] = options.length > 0 ? joinNodeOptions(options) : undefined;
  }
  if (uid !== undefined) {
    const { name, home } = userOf(uid);
    Object.assign(env, { HOME: home, USER: name, LOGNAME: name });
  }
  Object.assign(env, listed);
  const said = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  // A replaced environment hides NODE_OPTIONS from the worker's code; the loaders in it must reach the process all the same.
  return { env: Object.fromEntries(said), flags: listed && listed['NODE_OPTIONS'] === undefined ? options : [] };
}
