import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join, sep } from 'node:path';
import type { Sources } from './check.js';

/** The project's folder, from dist/scripts/structure/. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Reads the project's TypeScript, in a stable order. */
export function readSources(folders: readonly string[] = ['src', 'spec', 'scripts', 'examples', 'bench'], root = ROOT): Sources {
  const sources = new Map<string, string>();
  for (const folder of folders) {
    for (const name of listFiles(join(root, folder)).sort()) {
      const file = `${folder}/${name.split(sep).join('/')}`;
      if (/(?<!\.d)\.ts$/.test(name) && !/(^|\/)(?:node_modules|dist)\//.test(file))
        sources.set(file, readFileSync(join(root, file), 'utf8'));
    }
  }
  return sources;
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    // A young project has no examples/ yet.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
