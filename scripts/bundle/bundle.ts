import { build, stop } from 'esbuild';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Files that processes run first, and that no other file imports: a worker's, the command line's, that of what it starts; and the page, loaded by its address. */
const PROGRAMS = ['worker-main/main.js', 'cli/main.js', 'cli/child/main.js', 'admin/index.js'];
const COMPILED = 'dist/src';

/** The files that `package.json` exports, within the compiled sources. */
function entryPoints(root: string): string[] {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { default: string }>;
  };
  const files = Object.values(exports).flatMap(entry => (typeof entry === 'string' ? [] : entry.default));
  return [...files.map(file => relative(COMPILED, file)), ...PROGRAMS];
}

/**
 * Writes the package at `root`, which `tsc` has compiled, into few files in `bundled`: entry points keep their names, what they share lies in
 * `chunks/`, from where the worker's entry is found as it was from `app/`. Class names stay, other packages are not taken in.
 */
export async function bundle(root: string, bundled: string): Promise<void> {
  const compiled = join(root, COMPILED);
  try {
    await build({
      entryPoints: entryPoints(root).map(file => join(compiled, file)),
      outbase: compiled,
      outdir: bundled,
      chunkNames: 'chunks/[name]-[hash]',
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      packages: 'external',
      keepNames: true,
      sourcemap: true,
      // The sources are in the package: the maps point there.
      sourcesContent: false,
      logLevel: 'warning',
    });
  } finally {
    // Its process would outlive the build.
    await stop();
  }
}
