import process from 'node:process';
import { isatty } from 'node:tty';

const STDERR = 2;

/** Whether lines are for a person: said by `PACKET_LOG_FORMAT`, else where stderr is a terminal. */
function isForReader(format: string | undefined): boolean {
  return format === 'pretty' || (format !== 'json' && isatty(STDERR));
}

/** Takes the lines of a logger. */
export interface LineStream {
  write(line: string): void;
}

/**
 * Puts lines of JSON into words and colours, and those into `write`; undefined where they are to stay JSON, or pino-pretty is not installed.
 * @param env the environment that says how
 */
export async function prettyStream(write: (text: string) => void, env: NodeJS.ProcessEnv = process.env): Promise<LineStream | undefined> {
  if (!isForReader(env['PACKET_LOG_FORMAT'])) return undefined;
  try {
    const { prettyFactory } = await import('pino-pretty');
    const colorize = env['NO_COLOR'] === undefined && isatty(STDERR);
    const pretty = prettyFactory({ colorize, ignore: 'pid,hostname' });
    return { write: line => write(pretty(line) ?? line) };
  } catch {
    // Not installed: it is optional.
    return undefined;
  }
}
