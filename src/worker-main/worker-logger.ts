import process from 'node:process';
import { inspect } from 'node:util';
import { Logger } from '../logger.js';

/** A worker writes its log to its stderr, which the master's logger reads line by line, with name and pid. */
export class WorkerLogger extends Logger {
  readonly #bindings: object;

  constructor(bindings: object = {}) {
    super();
    this.#bindings = bindings;
  }

  override trace(): void {}
  override debug(): void {}
  override info(object: unknown, message?: string): void {
    this.#write('info', object, message);
  }
  override warn(object: unknown, message?: string): void {
    this.#write('warn', object, message);
  }
  override error(object: unknown, message?: string): void {
    this.#write('error', object, message);
  }
  override fatal(object: unknown, message?: string): void {
    this.#write('fatal', object, message);
  }
  override child(bindings: object): Logger {
    return new WorkerLogger({ ...this.#bindings, ...bindings });
  }

  #write(level: string, object: unknown, message: string | undefined): void {
    process.stderr.write(`${lineOf(level, this.#bindings, object, message)}\n`);
  }
}

/** One line of JSON, whatever was to be logged: to log is no reason for a task to fail. */
export function lineOf(level: string, bindings: object, object: unknown, message?: string): string {
  const said = message === undefined ? {} : { msg: message };
  const write = (facts: object): string => JSON.stringify({ level, ...bindings, ...facts, ...said }, plainly);
  try {
    return write(object instanceof Error ? { err: object } : typeof object === 'object' && object !== null ? object : { msg: object });
  } catch {
    // A circle, or a getter that throws.
    return JSON.stringify({ level, facts: inspect({ ...bindings, object }), ...said });
  }
}

/** Errors with their stack, cause and properties, and numbers of any size: JSON has neither. */
function plainly(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value instanceof Error ? inspect(value) : value;
}
