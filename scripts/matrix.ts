/**
 * Runs the compiled specs on the other Nodes that are supported: all of them on 20 and 26, a smoke set on 22 and 24. The Node that runs
 * this script is left out unless it is named: `npm test` has been there. The Nodes are the npm package `node`, kept in a cache folder.
 * @example npm run matrix · npm run matrix 26 · npm run matrix 20 22:smoke
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ROOT } from './structure/read-sources.js';

/** Where Node's own changes show: streams and sockets, child processes, flags, permissions, module loading. */
const SMOKE = ['wire', 'hosts', 'tasks', 'endpoints', 'http', 'websocket', 'examples', 'promises/eval-server.spec.js'];
const OWN_MAJOR = process.versions.node.split('.')[0]!;
const asked = process.argv.slice(2);
const RUNS = (asked.length > 0 ? asked : ['20', '22:smoke', '24:smoke', '26'].filter(run => parseRun(run).major !== OWN_MAJOR)).map(
  parseRun,
);

/** '22:smoke' → Node 22, the smoke set. */
function parseRun(text: string): { readonly major: string; readonly smoke: boolean } {
  const [major = '', set] = text.split(':');
  if (!/^\d+$/.test(major) || (set !== undefined && set !== 'smoke')) throw new Error(`'${text}' is not a Node: write 22 or 22:smoke`);
  return { major, smoke: set === 'smoke' };
}

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

const results = RUNS.map(({ major, smoke }) => {
  const bin = folderOf(major);
  // First in PATH, so that children started as `node` are of the same version.
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
  const specs = smoke ? SMOKE.map(name => `dist/spec/${name}`) : ['--ignore', 'dist/spec/long/**', 'dist/spec'];
  console.log(`\nNode ${major}, ${smoke ? 'a smoke set' : 'all specs'}`);
  return { major, status: run(join(bin, 'node'), ['node_modules/mocha/bin/mocha.js', '--reporter', 'dot', ...specs], env) };
});

console.log(results.map(({ major, status }) => `Node ${major}: ${status === 0 ? 'green' : 'red'}`).join(', '));
process.exitCode = results.some(({ status }) => status !== 0) ? 1 : 0;
