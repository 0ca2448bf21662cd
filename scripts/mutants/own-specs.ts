import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Folders and files of src/ whose specs stand in another folder of spec/ than their own. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  nats: ['mesh'],
  errors: ['wire', 'structure'],
  'multi-core': ['promises/multi-core'],
  units: ['option-rules.spec.js', 'blueprint'],
  diagnostics: ['diagnostics', 'app/report'],
  guard: ['field', 'session'],
  logger: ['logging'],
  transfer: ['promises', 'hosts', 'tasks'],
  transferable: ['promises', 'hosts', 'tasks'],
  'is-response': ['web', 'http'],
  'system-timers': ['field', 'timing'],
  'async-context': ['session', 'tasks'],
  'package-home': ['hosts', 'scripts'],
  'node-internals': ['endpoints', 'websocket', 'session'],
};

/** Spec files below a file or folder of dist/spec, relative to it. */
function specsBelow(specs: string, path: string): string[] {
  if (!existsSync(join(specs, path))) return [];
  if (path.endsWith('.spec.js')) return [path];
  return readdirSync(join(specs, path), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.spec.js'))
    .sort()
    .map(name => `${path}/${name}`);
}

/**
 * The specs of a source's own folder, in rounds from the nearest to the furthest: the file of its name, its folder, the folders around that.
 * @param file relative to src/, without its extension
 * @param specs the folder of compiled specs
 */
export function ownSpecs(file: string, specs: string): string[][] {
  const rounds: (readonly string[])[] = [[`${file}.spec.js`]];
  for (let folder = dirname(file); folder !== '.'; folder = dirname(folder)) rounds.push([folder]);
  const [top = ''] = file.split('/');
  rounds.push(ELSEWHERE[top] ?? []);
  const seen = new Set<string>();
  return rounds
    .map(paths => {
      const files = [...new Set(paths.flatMap(path => specsBelow(specs, path)))].filter(spec => !seen.has(spec));
      for (const spec of files) seen.add(spec);
      return files;
    })
    .filter(files => files.length > 0);
}
