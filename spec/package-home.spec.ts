import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { ROOT } from '../scripts/structure/read-sources.js';
import { ownPackage, packageOf } from '../src/package-home.js';

describe('the folder of the package', () => {
  it('is the nearest one above with its package.json, with a slash at its end', () => {
    expect(ownPackage().href).to.equal(pathToFileURL(ROOT).href);
    expect(ownPackage().href).to.match(/\/$/);
  });

  it('is the copy that a module imports; its own where the module finds none', () => {
    expect(fileURLToPath(packageOf(import.meta.url))).to.equal(ROOT);
    const elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
    try {
      expect(packageOf(pathToFileURL(join(elsewhere, 'app.js')).href).href).to.equal(ownPackage().href);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });
});
