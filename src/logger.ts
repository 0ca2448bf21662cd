import { pino } from 'pino';

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

let made: Logger | undefined;

/** The default: pino, JSON lines on stderr, at the level of `PACKET_LOG` ('info'). One for the whole process. */
export function defaultLogger(): Logger {
  return (made ??= pino({ level: process.env['PACKET_LOG'] ?? 'info', base: null }, pino.destination({ dest: 2, sync: true })));
}
