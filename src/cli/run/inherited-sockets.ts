import type { StdioOptions } from 'node:child_process';
import { lookAt } from '../../endpoints/process/inherited.js';

/** The first descriptor behind the standard streams, and the last that is looked at. */
const FIRST = 3;
const LAST = 63;

/**
 * The standard streams, the listening sockets that this process was given (by systemd, or as `fd:3`) under the same numbers, and a channel
 * behind them: what a process that runs the application is started with.
 */
export function inheritedStdio(): StdioOptions {
  const numbers = Array.from({ length: LAST - FIRST + 1 }, (_, at) => FIRST + at);
  const sockets = numbers.filter(number => {
    const found = lookAt(number);
    return found !== undefined && (found.kind === 'tcp' || found.kind === 'unix') && found.listening;
  });
  const last = sockets.at(-1) ?? FIRST - 1;
  const passed = numbers.filter(number => number <= last).map(number => (sockets.includes(number) ? number : ('ignore' as const)));
  return ['inherit', 'inherit', 'inherit', ...passed, 'ipc'];
}
