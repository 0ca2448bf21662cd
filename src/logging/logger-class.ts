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
