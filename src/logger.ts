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

let made: Promise<Logger> | undefined;

/**
 * The default: pino, JSON lines on stderr, at the level of `PACKET_LOG` ('info'). One for the whole process.
 * Loaded when it is asked for: a worker, which writes its log another way, would pay a tenth of its start for it.
 */
export function defaultLogger(): Promise<Logger> {
  return (made ??= import('pino').then(({ pino }) =>
    pino({ level: process.env['PACKET_LOG'] ?? 'info', base: null }, pino.destination({ dest: 2, sync: true })),
  ));
}
