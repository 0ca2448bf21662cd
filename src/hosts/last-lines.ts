/** Most lines of stderr in an exit report: the last ones. Characters are limited beside. */
const STDERR_LINES = 20;
const STDERR_LENGTH = 4_096;

/** The end of what a worker wrote to stderr, as an exit report has it. */
export function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-STDERR_LINES).join('\n').slice(-STDERR_LENGTH);
}
