import { epochNow } from './system-timers.js';
import { guardedLogger } from './logging/guarded-logger.js';
import { Logger } from './logging/logger-class.js';

export { Logger };

/** A logger that writes nothing. */
export const silentLogger: Logger = new Logger();

/** The time of the record that is being written, where that is not now: it came from another process. */
let recordTime: number | undefined;

/** Runs it so that the default logger gives what it writes meanwhile that time, in milliseconds since the epoch. */
export function atTime(time: number, run: () => void): void {
  recordTime = time;
  try {
    run();
  } finally {
    recordTime = undefined;
  }
}

let made: Promise<Logger> | undefined;

/**
 * The default: pino on stderr, at the level of `PACKET_LOG` ('info'): lines for a reader where stderr is a terminal and pino-pretty is
 * installed, else JSON (`PACKET_LOG_FORMAT` says which: `json` or `pretty`). One for the whole process. It never waits for the reader
 * of stderr: up to 1 MB of lines wait, more are dropped, and a line says how many.
 * Loaded when it is asked for: a worker, which writes its log another way, would pay a tenth of its start for it.
 */
export function defaultLogger(): Promise<Logger> {
  return (made ??= makeDefault());
}

async function makeDefault(): Promise<Logger> {
  const [{ pino, stdSerializers }, { standardError }, { prettyStream }] = await Promise.all([
    import('pino'),
    import('./logging/standard-error.js'),
    import('./logging/pretty.js'),
  ]);
  const stderr = standardError();
  // Errors without a stack (a peer's mistake) show none.
  const err = (error: Error): unknown => {
    const { stack, ...rest } = stdSerializers.err(error);
    return stack ? { ...rest, stack } : rest;
  };
  const timestamp = (): string => `,"time":${recordTime ?? epochNow()}`;
  const options = { level: process.env['PACKET_LOG'] ?? 'info', base: null, serializers: { err }, timestamp };
  const write = (line: string): void => stderr.write(line);
  const logger: Logger = pino(options, (await prettyStream(write)) ?? { write });
  return logger;
}

/** Methods that a logger must have: all of pino's. */
export const LOGGER_METHODS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'child'] as const;

export function isLogger(value: unknown): value is Logger {
  return (
    typeof value === 'object' && value !== null && LOGGER_METHODS.every(name => typeof (value as Partial<Logger>)[name] === 'function')
  );
}

/** The lowest level that a logger writes, as pino's number: 0 where it does not tell, above all levels where it writes nothing. */
export function levelOf(logger: Logger): number {
  if (logger === silentLogger) return Infinity;
  const { levelVal } = logger as { levelVal?: unknown };
  return typeof levelVal === 'number' ? levelVal : 0;
}

/** The part of a logger that tells of its level: pino's, and ours around it. */
export interface LevelEvents {
  on(event: 'level-change', listener: () => void): unknown;
  off(event: 'level-change', listener: () => void): unknown;
}

/**
 * Calls `tell` with the new level when that of the logger is changed, where it tells of it: pino does.
 * @returns what ends it
 */
export function watchLevel(logger: Logger, tell: (level: number) => void): () => void {
  const { on, off } = logger as Partial<LevelEvents>;
  if (typeof on !== 'function' || typeof off !== 'function') return () => {};
  let known = levelOf(logger);
  // pino's children tell here, too.
  const look = (): void => {
    const level = levelOf(logger);
    if (level !== known) tell((known = level));
  };
  on.call(logger, 'level-change', look);
  return () => void off.call(logger, 'level-change', look);
}

/** The logger that an application uses: the given one, guarded so that it cannot fail its callers; none for `false`; or the default. */
export async function loggerOf(given: Logger | false | undefined): Promise<Logger> {
  if (given === undefined) return defaultLogger();
  // A value that is no logger is reported as a mistake elsewhere.
  return given === silentLogger || !isLogger(given) ? silentLogger : guardedLogger(given);
}
