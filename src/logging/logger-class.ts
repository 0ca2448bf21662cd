/**
 * The application's logger, with pino's interface. Inject it: it is bound to the worker, connection and peer it was injected into.
 * Any object with these methods can be given to `bootstrap(Module, { logger })`.
 * @example
 * constructor(private readonly log: Logger) {}
 * @OnData() login(user: string) { this.log.info({ user }, 'logged in'); }
 */
export class Logger {
  /** Level 10: every step. Takes an object whose keys become keys of the line, or the text alone. */
  trace(_object: unknown, _message?: string): void {}
  /** Level 20: helps to find a mistake. */
  debug(_object: unknown, _message?: string): void {}
  /** Level 30: the ordinary course of things. */
  info(_object: unknown, _message?: string): void {}
  /** Level 40: nothing has failed yet. */
  warn(_object: unknown, _message?: string): void {}
  /** Level 50: something failed, others are served. An error stands under the key `err`. */
  error(_object: unknown, _message?: string): void {}
  /** Level 60: the process is about to end. */
  fatal(_object: unknown, _message?: string): void {}
  /** Makes a logger whose lines have these keys, too. */
  child(_bindings: object): Logger {
    return this;
  }
}
