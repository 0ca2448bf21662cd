import { epochNow } from './system-timers.js';
import { guardedLogger } from './logging/guarded-logger.js';

/**
 * The application's logger, with pino's interface. Inject it: it is bound to the worker, connection and peer it was injected into.
 * Any object with these methods can be given to `bootstrap(Module, { logger })`.
 * @example constructor(private readonly log: Logger) {} … this.log.info({ user }, 'logged in')
 */
export class Logger {
  trace(_object: unknown, _message?: string): void {}
  debug(_object: unknown, _message?: string): void {}
  info(_object: unknown, _message?: string): void {}
  warn(_object: unknown, _message?: string): void {}
  error(_object: unknown, _message?: string): void {}
  fatal(_object: unknown, _message?: string): void {}
  child(_bindings: object): Logger {
    return this;
  }
}

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
 * The default: pino, JSON lines on stderr, at the level of `PACKET_LOG` ('info'). One for the whole process. It never waits for the reader
 * of stderr: up to 1 MB of lines wait, more are dropped, and a line says how many.
 * Loaded when it is asked for: a worker, which writes its log another way, would pay a tenth of its start for it.
 */
export function defaultLogger(): Promise<Logger> {
  return (made ??= Promise.all([import('pino'), import('./logging/standard-error.js')]).then(
    ([{ pino, stdSerializers }, { standardError }]) => {
      const stderr = standardError();
      // Errors without a stack (a peer's mistake) show none.
      const err = (error: Error): unknown => {
        const { stack, ...rest } = stdSerializers.err(error);
        return stack ? { ...rest, stack } : rest;
      };
      const timestamp = (): string => `,"time":${recordTime ?? epochNow()}`;
      const options = { level: process.env['PACKET_LOG'] ?? 'info', base: null, serializers: { err }, timestamp };
      return pino(options, { write: line => stderr.write(line) });
    },
  ));
}

/** Methods that a logger must have: all of pino's. */
export const LOGGER_METHODS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'child'] as const;

export function isLogger(value: unknown): value is Logger {
  return (
    typeof value === 'object' && value !== null && LOGGER_METHODS.every(name => typeof (value as Partial<Logger>)[name] === 'function')
  );
}

/** The logger that an application uses: the given one, guarded so that it cannot fail its callers; none for `false`; or the default. */
export async function loggerOf(given: Logger | false | undefined): Promise<Logger> {
  if (given === undefined) return defaultLogger();
  // A value that is no logger is reported as a mistake elsewhere.
  return given === silentLogger || !isLogger(given) ? silentLogger : guardedLogger(given);
}
