import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const NAME = 'packet-ts';

function isPackage(folder: URL): boolean {
  const file = new URL('package.json', folder);
  return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }).name === NAME;
}

/** The folder of this package, with a slash at its end. Throws where a bundler has taken this file out of it. */
export function ownPackage(): URL {
  let folder = new URL('./', import.meta.url);
  while (!isPackage(folder)) {
    const above = new URL('../', folder);
    if (above.href === folder.href) throw new Error(`${import.meta.url} is not in the folder of the package ${NAME}`);
    folder = above;
  }
  return folder;
}

/**
 * The folder of the package that a module imports: it may be another copy than the one whose command was called, and the application
 * must be started by the copy whose decorators it uses.
 */
export function packageOf(module: string): URL {
  try {
    return new URL('./', pathToFileURL(createRequire(module).resolve(`${NAME}/package.json`)));
  } catch {
    return ownPackage();
  }
}
