import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from '../../../scripts/structure/read-sources.js';
import type { Block } from './blocks.js';

/** What `npm install` would bring to a project, as links. */
export function link(project: string, packages: readonly string[] = ['zod', 'ws', 'prom-client', '@types/node']): void {
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  symlinkSync(ROOT, join(project, 'node_modules/packet-ts'));
  for (const name of packages) symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name));
}

export function write(project: string, blocks: readonly Block[]): void {
  for (const { file, text } of blocks) {
    if (file === undefined) continue;
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), text);
  }
}

/** Compiles a project with its own tsconfig.json; throws with the compiler's words. */
export function compile(project: string): void {
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project], { encoding: 'utf8' });
}

/** A new folder with the files of a page, the tsconfig.json of new projects, and the packages that they need. */
export function projectOf(blocks: readonly Block[], tsconfig: string): string {
  const project = mkdtempSync(join(tmpdir(), 'packet-page-'));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(project, 'tsconfig.json'), tsconfig);
  write(project, blocks);
  link(project);
  return project;
}

export function remove(project: string): void {
  rmSync(project, { recursive: true, force: true });
}
