import { ConfigurationError } from '../errors.js';
import { ownPackage } from '../package-home.js';
import type { AdminModule } from './admin/admin-types.js';

/**
 * The page that operates an application, with `packet-ts/http` and `packet-ts/websocket` behind it: loaded where `admin` is asked for. By its
 * address, so that a bundler neither takes it in nor looks for `ws`, which is an optional peer.
 * @throws ConfigurationError where it cannot be loaded: `ws` is not installed, or a bundle has left it behind.
 */
export async function adminSide(): Promise<AdminModule> {
  try {
    return (await import(new URL('dist/src/admin/index.js', ownPackage()).href)) as AdminModule;
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';
    const remedy = missing ? 'npm install ws' : 'leave packet-ts out of the bundle: the files of the page are in its folder';
    throw new ConfigurationError([{ where: 'bootstrap()', member: 'admin', wrong: 'the page cannot be loaded', remedy }], { cause });
  }
}
