/** The exit code of a Node that does not know a flag, or takes it at another place only. */
const INVALID_ARGUMENT = 9;
/** How Node prints what it could not load before the first line of the worker: a module of `--import` or `--require`, a loader. */
const NOT_LOADED =
  /\bcode: '(?:ERR_)?(?:MODULE_NOT_FOUND|UNKNOWN_FILE_EXTENSION|UNSUPPORTED_\w+|REQUIRE_\w+|PACKAGE_\w+|INVALID_MODULE_SPECIFIER)'|^SyntaxError: /m;
/** The system's errors for a program that it will never run, in contrast to one for which it has no process or memory at the moment. */
const NOT_A_PROGRAM: ReadonlySet<unknown> = new Set(['ENOENT', 'EACCES', 'EPERM', 'ENOTDIR', 'ENOEXEC', 'E2BIG', 'ERR_ACCESS_DENIED']);

/** True for the end of a process that was never ready where the next one will end in the same way. */
export function isStartMistake(code: number | null, stderr: string, error: unknown): boolean {
  if (error !== undefined) return NOT_A_PROGRAM.has((error as NodeJS.ErrnoException).code);
  return code === INVALID_ARGUMENT || (code === 1 && NOT_LOADED.test(stderr));
}
