import { printable } from '../../errors/printable.js';
import { levelOf, Logger, type LevelEvents } from '../../logger.js';
import { toldError } from '../../logging/told-error.js';
import { Ring } from './ring.js';

/** One line of the log. */
export interface LogFacts {
  readonly at: number;
  readonly level: LogLevel;
  readonly text: string;
}

/** The levels that are kept, and pino's numbers for them. */
export const LEVELS = { info: 30, warn: 40, error: 50, fatal: 60 } as const;
export type LogLevel = keyof typeof LEVELS;

const MOST = { lines: 500, length: 500 } as const;
/**
 * The facts that are shown beside the words. Others may be secrets that the logger's own redaction takes out, which is behind this point.
 */
const SHOWN = ['worker', 'key', 'workerPid', 'process', 'handler', 'connection', 'task', 'signal', 'reason', 'by', 'code', 'line'] as const;

/** The last lines of the log. */
export class LogTail {
  readonly lines = new Ring<LogFacts>(MOST.lines);
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A logger that does what the given one does, and is heard here. */
  tap(inner: Logger): Logger {
    return new TappedLogger(inner, this, {});
  }

  hear(level: LogLevel, bindings: object, object: unknown, message: string | undefined): void {
    this.lines.add({ at: this.#now(), level, text: printable(textOf(bindings, object, message), MOST.length) });
  }
}

function textOf(bindings: object, object: unknown, message: string | undefined): string {
  if (typeof object === 'string') return object;
  const error = object instanceof Error ? object : isFacts(object) && object['err'] instanceof Error ? object['err'] : undefined;
  const facts: Readonly<Record<string, unknown>> = { ...bindings, ...(isFacts(object) && !(object instanceof Error) ? object : {}) };
  const words = [message ?? (isFacts(object) ? facts['msg'] : object), ...SHOWN.flatMap(name => shown(name, facts[name]))];
  if (error) words.push(`${error.name}: ${toldError(error).message}`);
  return words.filter(word => word !== undefined && word !== '').join(' ');
}

function shown(name: string, value: unknown): readonly string[] {
  return typeof value === 'string' || typeof value === 'number' ? [name === 'line' ? value.toString() : `${name}=${value}`] : [];
}

function isFacts(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

class TappedLogger extends Logger {
  readonly #inner: Logger;
  readonly #tail: LogTail;
  readonly #bindings: object;

  constructor(inner: Logger, tail: LogTail, bindings: object) {
    super();
    this.#inner = inner;
    this.#tail = tail;
    this.#bindings = bindings;
  }

  override trace(object: unknown, message?: string): void {
    this.#inner.trace(object, message);
  }
  override debug(object: unknown, message?: string): void {
    this.#inner.debug(object, message);
  }
  override info(object: unknown, message?: string): void {
    this.#inner.info(object, message);
    this.#hear('info', object, message);
  }
  override warn(object: unknown, message?: string): void {
    this.#inner.warn(object, message);
    this.#hear('warn', object, message);
  }
  override error(object: unknown, message?: string): void {
    this.#inner.error(object, message);
    this.#hear('error', object, message);
  }
  override fatal(object: unknown, message?: string): void {
    this.#inner.fatal(object, message);
    this.#hear('fatal', object, message);
  }
  /** The lowest level that is written there or heard here. */
  get levelVal(): number {
    return Math.min(levelOf(this.#inner), LEVELS.info);
  }
  on(event: 'level-change', listener: () => void): void {
    (this.#inner as Logger & Partial<LevelEvents>).on?.(event, listener);
  }
  off(event: 'level-change', listener: () => void): void {
    (this.#inner as Logger & Partial<LevelEvents>).off?.(event, listener);
  }
  override child(bindings: object): Logger {
    return new TappedLogger(this.#inner.child(bindings), this.#tail, { ...this.#bindings, ...bindings });
  }

  #hear(level: LogLevel, object: unknown, message: string | undefined): void {
    try {
      this.#tail.hear(level, this.#bindings, object, message);
    } catch {
      // A record that cannot be read is left to the logger.
    }
  }
}
