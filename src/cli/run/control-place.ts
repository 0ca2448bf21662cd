import { lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../errors.js';

/** Only its user may look into it. */
const PRIVATE = 0o700;
const OTHERS = 0o077;

/**
 * The folder with the sockets by which running commands of this user are reached; it is made where there is none.
 * @throws UsageError when it belongs to another user, or others may write to it.
 */
export function controlFolder(): string {
  const uid = process.getuid?.() ?? 0;
  const folder = join(process.env['XDG_RUNTIME_DIR'] ?? tmpdir(), `packet-ts-${uid}`);
  mkdirSync(folder, { recursive: true, mode: PRIVATE });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & OTHERS) !== 0)
    throw new UsageError(`${folder} is not this user's alone: remove it, or set XDG_RUNTIME_DIR`);
  return folder;
}

/** Where the command of a pid is reached. */
export function controlPath(pid: number): string {
  return join(controlFolder(), `${pid}.sock`);
}

/** The pids of commands that are running, or have been and were killed. */
export function controlledPids(): readonly number[] {
  return readdirSync(controlFolder())
    .map(name => Number(/^(\d+)\.sock$/.exec(name)?.[1]))
    .filter(pid => !Number.isNaN(pid));
}
