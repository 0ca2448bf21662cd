import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The full path of a program, if it is installed. */
export function findProgram(name: string): string | undefined {
  // Debian puts servers into /usr/sbin, which is not on the path of a user.
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // the next folder
    }
  }
  return undefined;
}

/**
 * True when the programs are installed. When one is not, a test is registered in their place that says so: it passes on a
 * developer's machine and fails where `CI=true`, so that nothing is left out unseen.
 * @example describe('under load', () => { if (!needsProgram('redis-benchmark')) return; it('…') });
 */
export function needsProgram(...names: readonly string[]): boolean {
  const missing = names.filter(name => findProgram(name) === undefined);
  if (missing.length === 0) return true;
  it(`cannot be tried here: ${missing.join(', ')} not installed (scripts/install-programs.sh)`, () => {
    if (process.env['CI'] === 'true') throw new Error(`${missing.join(', ')} must be installed where CI=true`);
  });
  return false;
}
