import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../scripts/bundle/bundle.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
/** Where programs of this folder find it under its name. */
const INSTALLED = fileURLToPath(new URL('../../node_modules/packet-ts/', import.meta.url));

/** Installs the package as it is published, for programs that import `packet-ts`. */
export async function installPublished(): Promise<void> {
  rmSync(INSTALLED, { recursive: true, force: true });
  mkdirSync(INSTALLED, { recursive: true });
  copyFileSync(`${ROOT}package.json`, `${INSTALLED}package.json`);
  await bundle(ROOT, `${INSTALLED}dist/src`);
}
