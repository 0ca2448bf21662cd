import type { Events } from '../../diagnostics/event-types.js';
import { atTime, type Logger } from '../../logger.js';

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** pino's numbers from the highest to the lowest. */
const LEVELS: readonly (readonly [number, Level])[] = [
  [60, 'fatal'],
  [50, 'error'],
  [40, 'warn'],
  [30, 'info'],
  [20, 'debug'],
  [0, 'trace'],
];

/** Logs what a worker has logged: its record at its level, through the application's logger, with where it came from. */
export function logRecord(logger: Logger, { app: _, host: __, level, time, record, message, untold, ...from }: Events['worker.log']): void {
  const [, name] = LEVELS.find(([least]) => level >= least) ?? [0, 'trace'];
  // Facts of the master win over those of the worker.
  const known = Object.entries(from).filter(([, value]) => value !== undefined);
  const facts = { ...record, ...Object.fromEntries(known), ...(untold > 0 && { untold }) };
  atTime(time, () => {
    if (message === undefined) logger[name](facts);
    else logger[name](facts, message);
  });
}
