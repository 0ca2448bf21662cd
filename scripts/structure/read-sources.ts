import { readdirSync, readFileSync, type Dirent } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import type { Sources } from './check.js';

/** The project's folder, from dist/scripts/structure/. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Reads the project's TypeScript, in a stable order. */
export function readSources(folders: readonly string[] = ['src', 'spec', 'scripts', 'examples', 'bench', 'site'], root = ROOT): Sources {
  const sources = new Map<string, string>();
  for (const folder of folders) {
    for (const name of listFiles(join(root, folder)).sort()) {
      if (/(?<!\.d)\.ts$/.test(name)) sources.set(`${folder}/${name}`, readFileSync(join(root, folder, name), 'utf8'));
    }
  }
  return sources;
}

/** Reads the project's pages: Markdown beside the README and below docs/. */
export function readPages(root = ROOT): Sources {
  const files = [
    ...entries(root).flatMap(entry => (entry.isDirectory() ? [] : [entry.name])),
    ...listFiles(join(root, 'docs'), '').map(name => `docs/${name}`),
  ];
  return new Map(
    files
      .filter(name => name.endsWith('.md'))
      .sort()
      .map(name => [name, readFileSync(join(root, name), 'utf8')]),
  );
}

/** Paths of files below a folder; what was installed or compiled there is not ours. */
function listFiles(folder: string, prefix = ''): string[] {
  return entries(join(folder, prefix)).flatMap(entry => {
    if (entry.name === 'node_modules' || entry.name === 'dist') return [];
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    return entry.isDirectory() ? listFiles(folder, path) : [path];
  });
}

function entries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    // A young project has no examples/ yet.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
