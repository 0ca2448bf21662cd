import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CWD_VARIABLE, RIGHTS_VARIABLE, WATCHDOG_VARIABLE, WORKER_VARIABLE } from '../child-contract.js';
import { childEnvironment } from './environment.js';
import { inheritedFlags, limitFlags, splitNodeOptions, withoutRights } from './flags.js';
import type { HostSpec } from '../host.js';
import { checkOwnGrants, grantedScopes, permissionFlags } from './permissions.js';
import { systemStackLimit } from '../proc.js';

/** Everything that `child_process.spawn` must be told. */
export interface LaunchPlan {
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  readonly cwd: string | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

export interface LaunchContext {
  /** The file that every worker process runs first. */
  readonly entry: string;
  /** Flags and environment of the master. */
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** There is no reaper: the worker must watch by itself whether its parent lives. */
  readonly watchdog: boolean;
  /** The version of Bun, where this is no Node. */
  readonly bun?: string | undefined;
}

/** Options of modules that Node loads before the first file, on the command line and in NODE_OPTIONS. */
const LOADERS = /^(?:--import|--require|-r|--loader|--experimental-loader)(?:=|$)/;

/**
 * Plans the command of one worker. Everything that can be known to fail is found out here.
 * @throws Error in plain words; the host reports it as the reason why the worker could not be launched.
 */
export function launchPlan(spec: HostSpec, context: LaunchContext): LaunchPlan {
  if (context.bun !== undefined)
    throw new Error(`worker processes need Node, and this is Bun ${context.bun}: start it with node, or write runtime: 'inline'`);
  const { settings } = spec;
  const { uid, gid } = settings;
  const source = spec.source?.startsWith('file:') ? fileURLToPath(spec.source) : undefined;
  const files = source === undefined ? [context.entry] : [context.entry, source];
  const cwd = settings.cwd === undefined ? undefined : folder(settings.cwd);
  checkStack(settings.resourceLimits.stackSizeMb);
  if (uid !== undefined || gid !== undefined) checkUser(uid, gid, files);

  const restricted = settings.permissions !== undefined;
  const { env, flags } = childEnvironment(settings.env, uid, context.env, restricted);
  let inherited = [...flags, ...inheritedFlags(context.execArgv)];
  let permissions: string[] = [];
  if (settings.permissions) {
    const own = [...settings.execArgv, ...splitNodeOptions(settings.env?.['NODE_OPTIONS'] ?? '')];
    checkOwnGrants(own);
    permissions = permissionFlags(settings.permissions, files, cwd);
    inherited = withoutRights(inherited); // The master's own grants would add to what the worker is allowed.
    env[RIGHTS_VARIABLE] = grantedScopes(settings.permissions, [...permissions, ...own]).join();
  }
  // A loader's name is looked up from the folder the process starts in, so that stays the master's and the child moves afterwards.
  const all = [...inherited, ...settings.execArgv, ...splitNodeOptions(env['NODE_OPTIONS'] ?? '')];
  const later = cwd !== undefined && all.some(flag => LOADERS.test(flag.replaceAll('_', '-')));
  if (later) env[CWD_VARIABLE] = cwd;
  if (context.watchdog) env[WATCHDOG_VARIABLE] = '1';
  env[WORKER_VARIABLE] = String(process.pid);
  return {
    args: [...inherited, ...limitFlags(settings.resourceLimits), ...permissions, ...settings.execArgv, context.entry, ...settings.argv],
    env,
    cwd: later ? undefined : cwd,
    uid,
    gid,
  };
}

/** Without this a missing folder reads as "spawn node ENOENT". */
function folder(path: string): string {
  const absolute = resolve(path);
  if (!statSync(absolute, { throwIfNoEntry: false })?.isDirectory()) throw new Error(`cwd: ${absolute} is no folder`);
  return absolute;
}

function checkStack(megabytes: number | undefined): void {
  const limit = systemStackLimit();
  // V8 measures less than what lies on the stack: an eighth is left free.
  if (megabytes !== undefined && limit !== undefined && megabytes * 1024 * 1024 > limit * 0.875)
    throw new Error(
      `resourceLimits.stackSizeMb: ${megabytes} does not fit into the system's stack limit of ${Math.floor(limit / 1024 ** 2)} MB (ulimit -s)`,
    );
}

function checkUser(uid: number | undefined, gid: number | undefined, files: readonly string[]): void {
  if (uid === undefined || gid === undefined)
    throw new Error('uid and gid belong together: a uid alone keeps the group, and with it the rights, of the master');
  if (process.platform === 'win32') throw new Error('uid and gid: this system has none');
  if (process.getuid!() !== 0 && (process.getuid!() !== uid || process.getgid!() !== gid))
    throw new Error(`uid ${uid}: only root may start a process as another user, and the master runs as uid ${process.getuid!()}`);
  for (const file of [process.execPath, ...files]) checkReadable(realpathSync(file), uid, gid);
}

/** A file below a folder that the user may not enter is "not found" to it; the name of that folder says more. */
function checkReadable(file: string, uid: number, gid: number): void {
  if (uid === 0) return accessSync(file, constants.R_OK);
  for (let path = file, need = 4; ; path = dirname(path), need = 1) {
    const { mode, uid: owner, gid: group } = statSync(path);
    const bits = owner === uid ? mode >> 6 : group === gid ? mode >> 3 : mode;
    if ((bits & need) === 0) {
      const what = need === 4 ? 'read' : 'enter';
      throw new Error(`uid ${uid}: it may not ${what} ${path} (mode ${(mode & 0o777).toString(8)}), which it needs to run ${file}`);
    }
    if (path === dirname(path)) return;
  }
}
