import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { rightsAmong } from './flags.js';
import { scopeOf } from './scopes.js';

/** Files and rights of a worker's code, besides the network and its own memory. The default is none. */
export interface GrantedPermissions {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly childProcess?: boolean;
  readonly workerThreads?: boolean;
  readonly addons?: boolean;
}

/** The folder itself and where it really is: module resolution asks for both. */
function both(path: string): string[] {
  try {
    return [path, realpathSync(path)];
  } catch {
    return [path];
  }
}

function ancestors(path: string): string[] {
  const above = dirname(path);
  return above === path ? [path] : [path, ...ancestors(above)];
}

/** Folders that Node must read to load a file: its package, and every `node_modules` that its imports may be found in. */
export function foldersToLoad(file: string): string[] {
  const found = new Set<string>();
  for (const path of both(file)) {
    const folders = ancestors(dirname(path));
    for (const folder of both(folders.find(each => existsSync(join(each, 'package.json'))) ?? folders[0]!)) found.add(folder);
    for (const folder of folders) {
      const modules = join(folder, 'node_modules');
      if (existsSync(modules)) for (const each of both(modules)) found.add(each);
    }
  }
  return [...found];
}

/**
 * Node's permission flags for a worker that runs `files`.
 * @throws Error when this Node knows no permissions: they are never silently off.
 */
export function permissionFlags(permissions: GrantedPermissions, files: readonly string[], cwd: string | undefined): string[] {
  const known = process.allowedNodeEnvironmentFlags;
  const on = ['--permission', '--experimental-permission'].find(flag => known.has(flag));
  if (on === undefined) throw new Error(`permissions: Node ${process.version} cannot restrict what a process may do`);
  const readable = new Set([
    ...files.flatMap(foldersToLoad),
    ...(cwd === undefined ? [] : [resolve(cwd)]),
    ...(permissions.read ?? []).map(path => resolve(path)),
  ]);
  const flags = [
    on,
    ...[...readable].map(path => `--allow-fs-read=${path}`),
    ...(permissions.write ?? []).map(path => `--allow-fs-write=${resolve(path)}`),
  ];
  if (permissions.childProcess) flags.push('--allow-child-process');
  if (permissions.workerThreads) flags.push('--allow-worker');
  if (permissions.addons) flags.push('--allow-addons');
  // Later Nodes restrict the network as well; a worker's permissions say nothing about it, so it stays open.
  if (known.has('--allow-net')) flags.push('--allow-net');
  return flags;
}

/** The options of `permissions`, by the flags that they become. */
const SAID_BY: Readonly<Record<string, string>> = {
  '--allow-fs-read': 'read',
  '--allow-fs-write': 'write',
  '--allow-child-process': 'childProcess',
  '--allow-worker': 'workerThreads',
  '--allow-addons': 'addons',
};

/**
 * A worker's own `execArgv` and NODE_OPTIONS may grant what `permissions` has no option for (`--allow-wasi`), and nothing else.
 * @throws Error where they contradict `permissions`.
 */
export function checkOwnGrants(own: readonly string[]): void {
  for (const flag of rightsAmong(own)) {
    const option = SAID_BY[flag];
    if (option !== undefined) throw new Error(`permissions: execArgv or NODE_OPTIONS has ${flag}; write permissions: { ${option} }`);
    if (!flag.startsWith('--allow-')) throw new Error(`permissions: execArgv or NODE_OPTIONS has ${flag}, which would switch them off`);
  }
}

/** Permissions that the started process reports, as scopes of `process.permission.has()`. */
export function grantedScopes({ read, write }: GrantedPermissions, flags: readonly string[]): string[] {
  const scopes = rightsAmong(flags)
    .filter(flag => flag.startsWith('--allow-') && !flag.startsWith('--allow-fs-'))
    .map(scopeOf);
  // A worker that may read everything may read anything.
  const everything = (paths: readonly string[] | undefined): boolean =>
    paths?.some(path => path === '*' || isRoot(path.replace(/\*+$/, ''))) === true;
  if (everything(read)) scopes.push('fs.read');
  if (everything(write)) scopes.push('fs.write');
  return [...new Set(scopes)];
}

function isRoot(path: string): boolean {
  const absolute = resolve(path);
  return dirname(absolute) === absolute;
}
