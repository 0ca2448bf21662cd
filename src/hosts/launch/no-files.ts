import { spawnSync } from 'node:child_process';

const SHELL = '/bin/sh';

let able: boolean | undefined;

/** Whether a process can be started that may not write to any file: tried once, with the shell that will do it. */
export function canForbidFiles(): boolean {
  return (able ??= spawnSync(SHELL, ['-c', 'ulimit -f 1'], { stdio: 'ignore', timeout: 10_000 }).status === 0);
}

/** Variables that a shell sets by itself. */
const OF_THE_SHELL = ['PWD', 'OLDPWD', 'SHLVL', '_'];

/**
 * Wraps a command so that its files may have at most one block (512 or 1024 bytes, `ulimit -f`): a descriptor that it was given for
 * four bytes fills no disk. Pipes and sockets have no such limit. The process is the shell's own, replaced: its pid and its descriptors
 * stay.
 */
export function withoutFiles(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): { readonly command: string; readonly args: readonly string[] } {
  const added = OF_THE_SHELL.filter(name => env[name] === undefined).join(' ');
  return { command: SHELL, args: ['-c', `unset ${added}; ulimit -f 1 && exec "$0" "$@"`, command, ...args] };
}
