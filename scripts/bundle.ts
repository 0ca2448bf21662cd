/**
 * Puts the compiled package into few files, in place: one for each entry point, and what they share. Node takes half a millisecond for each
 * module that it loads, in every worker process. `npm pack` and `npm publish` run it; docs/decisions/bundled-package.md says why.
 * @example node dist/scripts/bundle.js
 */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle/bundle.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const compiled = join(root, 'dist/src');
const bundled = mkdtempSync(`${compiled}-`);
try {
  await bundle(root, bundled);
  for (const name of readdirSync(compiled, { recursive: true, encoding: 'utf8' })) {
    if (/\.js(\.map)?$/.test(name)) rmSync(join(compiled, name));
  }
  cpSync(bundled, compiled, { recursive: true });
} finally {
  rmSync(bundled, { recursive: true });
}
