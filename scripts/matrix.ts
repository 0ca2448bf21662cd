/**
 * Runs the compiled specs on every Node that is supported. The Nodes are the npm package `node`, kept in the user's cache folder.
 * @example npm run matrix · npm run matrix 22
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ROOT } from './structure/read-sources.js';

const MAJORS = process.argv.length > 2 ? process.argv.slice(2) : ['20', '22', '24'];
/** Outside the project. Root's own home is closed to other users, and specs run workers as another one. */
const CACHE =
  process.getuid?.() === 0 ? '/var/cache/packet-ts' : join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'packet-ts');

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): number {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, env, stdio: 'inherit' });
  if (error) throw error;
  return status ?? 1;
}

/** The folder with that Node's `node`, installed when it is not there yet. */
function folderOf(major: string): string {
  const prefix = join(CACHE, `node-${major}`);
  const bin = join(prefix, 'node_modules', '.bin');
  if (!existsSync(join(bin, 'node'))) {
    mkdirSync(prefix, { recursive: true });
    if (run('npm', ['install', '--no-save', '--silent', '--prefix', prefix, `node@${major}`]) !== 0)
      throw new Error(`node@${major} was not installed`);
  }
  return bin;
}

const results = MAJORS.map(major => {
  const bin = folderOf(major);
  // First in PATH, so that children started as `node` are of the same version.
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
  console.log(`\nNode ${major}`);
  return { major, status: run(join(bin, 'node'), ['node_modules/mocha/bin/mocha.js', '--reporter', 'dot', 'dist/spec'], env) };
});

console.log(results.map(({ major, status }) => `Node ${major}: ${status === 0 ? 'green' : 'red'}`).join(', '));
process.exitCode = results.some(({ status }) => status !== 0) ? 1 : 0;
