import { format } from 'node:util';
import { Logger } from '../logger.js';
import { loggable } from './loggable.js';

/** pino's numbers of the levels. */
const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;

type Level = keyof typeof LEVELS;

/** Takes records to wherever they are written. */
export interface RecordSink {
  /** Records below it are not wanted at present: pino's number. */
  least(): number;
  /** A class has a logger of its own: it should be known in which call it logs. */
  bound(): void;
  /** Never throws. */
  write(level: number, record: Readonly<Record<string, unknown>>, message: string | undefined): void;
}

/** The logger of a worker: hands records on, with the bindings of the logger that was injected. */
export class RecordLogger extends Logger {
  readonly #sink: RecordSink;
  readonly #bindings: Readonly<Record<string, unknown>>;

  constructor(sink: RecordSink, bindings: object = {}) {
    super();
    this.#sink = sink;
    this.#bindings = loggable(bindings);
  }

  override trace(...args: readonly unknown[]): void {
    this.#write('trace', args);
  }
  override debug(...args: readonly unknown[]): void {
    this.#write('debug', args);
  }
  override info(...args: readonly unknown[]): void {
    this.#write('info', args);
  }
  override warn(...args: readonly unknown[]): void {
    this.#write('warn', args);
  }
  override error(...args: readonly unknown[]): void {
    this.#write('error', args);
  }
  override fatal(...args: readonly unknown[]): void {
    this.#write('fatal', args);
  }
  override child(bindings: object): Logger {
    this.#sink.bound();
    return new RecordLogger(this.#sink, { ...this.#bindings, ...bindings });
  }

  /** As pino reads its arguments: an object and a message, or a message alone, with what its placeholders stand for. */
  #write(level: Level, [object, ...rest]: readonly unknown[]): void {
    if (LEVELS[level] < this.#sink.least()) return;
    const isObject = typeof object === 'object' && object !== null;
    const [text, ...values] = isObject ? rest : [object, ...rest];
    const message = text === undefined ? (object instanceof Error ? object.message : undefined) : worded(text, values);
    this.#sink.write(LEVELS[level], isObject ? { ...this.#bindings, ...loggable(object) } : this.#bindings, message);
  }
}

function worded(text: unknown, values: readonly unknown[]): string {
  try {
    return format(text, ...values);
  } catch {
    return 'a message that cannot be read';
  }
}
