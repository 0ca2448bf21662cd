import { onAbort } from '../../abort-listeners.js';
import type { Command } from '../command.js';
import { runningCommand } from '../run/control-client.js';
import { screenOf, type TopFacts } from '../top/screen.js';
import { guard, NO_VICTIM } from '../../guard.js';
import { setTimeout } from '../../system-timers.js';

/** Milliseconds between two looks. */
const EVERY = 1_000;
/** Where the standard output is no terminal. */
const WIDE = 200;
const TALL = 200;
const ALTERNATE_SCREEN = '\u001b[?1049h\u001b[?25l';
const NORMAL_SCREEN = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const REST_OF_LINE = '\u001b[K';
const REST_OF_SCREEN = '\u001b[J';

function isFacts(answer: object): answer is TopFacts {
  return 'apps' in answer;
}

/** Resolves with true when the time has passed, with false when the user wants to leave. */
function pause(leave: AbortSignal): Promise<boolean> {
  return new Promise(resolve => {
    if (leave.aborted) return resolve(false);
    const forget = onAbort(leave, () => {
      timer.unref();
      resolve(false);
    });
    const timer = setTimeout(() => {
      forget();
      resolve(true);
    }, EVERY);
    return undefined;
  });
}

export const top: Command = {
  name: 'top',
  usage: '[PID]',
  summary: 'shows a running packet-ts run live in the terminal',
  details: `Shows listeners, connections, pools and the oldest calls in flight of a running "packet-ts run" or "dev" of this user, once a second; q or
Ctrl-C leaves. Where the output is no terminal, and with --once, it is printed once. PID is that of "packet-ts run"; it need not be given
where only one is running.`,
  options: { once: { type: 'boolean', help: 'prints it once' } },
  positionals: [0, 1],
  async run({ positionals, options }) {
    using command = await runningCommand(positionals[0]);
    const { stdin, stdout } = process;
    const look = async (width: number, height: number): Promise<readonly string[]> => {
      const answer = await command.ask('look');
      return isFacts(answer) ? screenOf(answer, width, height) : ['the application has ended'];
    };
    if (!stdout.isTTY || options['once'] === true) {
      stdout.write(`${(await look(WIDE, TALL)).join('\n')}\n`);
      return 0;
    }
    const leaving = new AbortController();
    const leave = (): void => leaving.abort();
    const onKey = guard(NO_VICTIM, (key: Buffer) => {
      if (/[q\u0003]/.test(key.toString())) leave();
    });
    process.once('SIGINT', leave);
    process.once('SIGTERM', leave);
    if (stdin.isTTY) stdin.setRawMode(true).on('data', onKey);
    stdout.write(ALTERNATE_SCREEN);
    try {
      do {
        const lines = await look(stdout.columns, stdout.rows - 1);
        stdout.write(`${HOME}${lines.map(line => `${line}${REST_OF_LINE}`).join('\r\n')}${REST_OF_SCREEN}`);
      } while (await pause(leaving.signal));
    } finally {
      stdout.write(NORMAL_SCREEN);
      if (stdin.isTTY) stdin.setRawMode(false).off('data', onKey).pause();
      process.off('SIGINT', leave);
      process.off('SIGTERM', leave);
    }
    return 0;
  },
};
