import { constants, fstatSync, openSync } from 'node:fs';
import process from 'node:process';
import { epochNow } from '../system-timers.js';
import { LogWriter, putInto } from './log-writer.js';

const STDERR = 2;
/** How long the exit of the process may wait for a reader of stderr that is slow. Milliseconds. */
const EXIT_GRACE = 1_000;

/** Opens the same pipe or terminal once more, non-blocking: other descriptors of stderr keep their mode. Linux; not for sockets. */
function reopened(): number | undefined {
  const { O_WRONLY, O_NONBLOCK, O_APPEND, O_NOCTTY } = constants;
  try {
    return openSync(`/proc/self/fd/${STDERR}`, O_WRONLY | O_NONBLOCK | O_APPEND | O_NOCTTY);
  } catch {
    // Another user's pipe, another system, or a permission model without the right to.
    return undefined;
  }
}

/**
 * A descriptor for stderr on which a write never waits for a reader. A file is one already. Where a pipe or socket cannot be opened again,
 * Node's own stream makes it so. Only a terminal that cannot be opened again stays as it is, and waits while it is stopped (Ctrl-S).
 */
function nonBlocking(): number {
  // `bigint`: see isSocket() in tasks/process-setup.ts.
  const status = fstatSync(STDERR, { bigint: true });
  if (status.isFile()) return STDERR;
  const descriptor = status.isSocket() ? undefined : reopened();
  if (descriptor !== undefined) return descriptor;
  // Making the stream sets O_NONBLOCK; its failure cannot be reported anywhere.
  process.stderr.on('error', () => {});
  return STDERR;
}

/** In pino's format, whatever the level: it is about the log itself. */
function notice(dropped: number, code: string): string {
  const why = code === 'EAGAIN' ? 'stderr was not read in time' : 'stderr could not be written';
  return `${JSON.stringify({ level: 40, time: epochNow(), dropped, code, msg: `log lines were dropped: ${why}` })}\n`;
}

let writer: LogWriter | undefined;

/** The one writer of this process's stderr. When the process exits it gets a second for what was not taken yet. */
export function standardError(): LogWriter {
  if (writer) return writer;
  let descriptor: number = STDERR;
  try {
    descriptor = nonBlocking();
  } catch {
    // No stderr at all: what is written then is dropped.
  }
  const made = (writer = new LogWriter({ put: putInto(descriptor), notice }));
  process.on('exit', () => made.flush(EXIT_GRACE));
  return made;
}
