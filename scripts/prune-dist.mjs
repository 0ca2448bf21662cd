/** Removes from dist/ what was compiled from files that are gone: an incremental build leaves it, and mocha would run it. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = /\.(?:d\.ts|js)(?:\.map)?$/;

for (const entry of existsSync(join(root, 'dist')) ? readdirSync(join(root, 'dist'), { recursive: true, withFileTypes: true }) : []) {
  if (!entry.isFile() || !compiled.test(entry.name)) continue;
  const path = join(entry.parentPath, entry.name);
  const source = join(root, path.slice(join(root, 'dist').length).replace(compiled, '.ts'));
  if (!existsSync(source)) rmSync(path);
}
