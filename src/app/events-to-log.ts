import diagnostics from 'node:diagnostics_channel';
import { errorForLog } from '../errors/error-for-log.js';
import { eventNames, type EventName } from '../diagnostics.js';
import { silentLogger, type Logger } from '../logger.js';

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** At which level each event is told, and in which words: the ordinary life of connections and workers is for debugging, what an operator must see is higher. */
const WORDS: Readonly<Record<EventName, readonly [Level, string]>> = {
  'listener.open': ['info', 'listening'],
  'listener.close': ['debug', 'stopped listening'],
  'listener.reject': ['warn', 'connection refused'],
  'listener.error': ['error', 'listener failed'],
  'connection.open': ['debug', 'connection open'],
  'connection.secure': ['debug', 'connection speaks TLS'],
  'connection.close': ['debug', 'connection closed'],
  'connection.error': ['error', 'connection handler failed'],
  'connection.limit': ['warn', 'connection limit reached'],
  'connection.output': ['info', 'command output'],
  'descriptors.scarce': ['error', 'hardly a file descriptor is left: connections are refused'],
  'descriptors.enough': ['info', 'there are file descriptors again'],
  'dialer.up': ['info', 'connected'],
  'dialer.down': ['warn', 'disconnected'],
  'worker.start': ['debug', 'worker process started'],
  'worker.ready': ['debug', 'worker ready'],
  'worker.exit': ['warn', 'worker process ended'],
  'worker.restart': ['debug', 'worker process replaced'],
  'worker.gave-up': ['error', 'worker cannot be started'],
  'worker.output': ['info', 'worker output'],
  'worker.error': ['error', 'worker failed outside of a call'],
  'worker.message': ['debug', 'worker sent a message that nobody takes'],
  'call.retry': ['warn', 'call tried again'],
  'call.dropped': ['warn', 'answer dropped'],
  'timer.error': ['error', 'timer failed'],
  'hook.error': ['error', 'hook failed'],
  'app.start': ['debug', 'started'],
  'app.close': ['debug', 'closed'],
  'app.warning': ['warn', 'warning'],
};

/** A process that ends because it was told to, and did, is no news. */
function isOrdinary(name: EventName, details: { readonly reason?: unknown; readonly exitCode?: unknown }): boolean {
  return name === 'worker.exit' && details.reason === 'stop' && details.exitCode === 0;
}

/** Loggers that are subscribers, and for how many applications. */
const uses = new Map<Logger, { count: number; readonly end: () => void }>();

/**
 * Makes the logger a subscriber of everything observable in this process; returns the end of that. Two applications (or `spawn()`s)
 * with one logger have each event told once.
 * A logger that throws is not asked twice for the same event, and nothing else notices.
 */
export function logEvents(logger: Logger): () => void {
  if (logger === silentLogger) return () => {};
  const use = uses.get(logger) ?? { count: 0, end: subscribe(logger) };
  uses.set(logger, use);
  use.count++;
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    if (--use.count > 0) return;
    uses.delete(logger);
    use.end();
  };
}

interface Warning {
  readonly message: string;
  readonly error?: unknown;
}

/** A warning brings its own words. */
function warn(logger: Logger, { message, error, ...rest }: Warning): void {
  logger.warn(error === undefined ? rest : { ...rest, err: errorForLog(error) }, message);
}

function subscribe(logger: Logger): () => void {
  const subscriptions = eventNames.map(name => {
    const [level, words] = WORDS[name];
    const listener = (details: unknown): void => {
      try {
        if (name === 'app.warning') return warn(logger, details as Warning);
        const { error, ...rest } = details as { readonly error?: unknown };
        logger[isOrdinary(name, rest) ? 'debug' : level](error === undefined ? rest : { ...rest, err: errorForLog(error) }, words);
      } catch {
        // The logger's own failure has nowhere to be told.
      }
    };
    diagnostics.subscribe(`packet-ts:${name}`, listener);
    return () => diagnostics.unsubscribe(`packet-ts:${name}`, listener);
  });
  return () => {
    for (const end of subscriptions) end();
  };
}
