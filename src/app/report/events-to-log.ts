import diagnostics from 'node:diagnostics_channel';
import type { Clock } from '../../clock.js';
import { EVENT_WORDS, eventNames, type EventName, type EventLevel, type Events } from '../../diagnostics.js';
import { silentLogger, type Logger } from '../../logger.js';
import { isOffence, toldError } from '../../logging/told-error.js';
import { levelOfClose } from '../../session/close-reasons.js';
import { logRecord } from './log-record.js';
import { LogLimiter } from './log-limiter.js';

/** Events that a peer can cause as often as it likes: each kind of them is logged within a quota. */
const LIMITED: ReadonlySet<EventName> = new Set<EventName>([
  'listener.reject',
  'listener.error',
  'connection.error',
  'connection.limit',
  'connection.close',
  'descriptors.scarce',
  'descriptors.enough',
  'dialer.up',
  'dialer.down',
  'call.retry',
  'call.dropped',
  'timer.error',
  'hook.error',
]);

/** The peer's mistakes, by `during`: no handler of ours failed. */
const OFFENCES: Readonly<Record<string, string>> = {
  framing: 'the peer sent what the framing cannot read',
  schema: 'the peer sent a message that fits no schema',
  socket: 'the connection broke',
};

interface Details {
  readonly [fact: string]: unknown;
  readonly app?: unknown;
  readonly error?: unknown;
}

/** Whether an error is a peer's mistake or the system's word on its connection. Any other is one of a framing, or ours. */
function isPeers(error: unknown): boolean {
  return isOffence(error) || (error instanceof Error && 'syscall' in error);
}

/** The level of an event, and its words. */
function lineOf(name: EventName, details: Details): readonly [EventLevel, string] {
  const [level, words] = EVENT_WORDS[name];
  // A process that ends because it was told to, and did, is no news.
  if (name === 'worker.exit' && details['expected'] === true && (details['exitCode'] ?? 0) === 0) return ['debug', words];
  if (name === 'connection.close') return [levelOfClose(String(details['by']), String(details['code'])), words];
  // A warning brings its own words.
  if (name === 'app.warning') return [level, String(details['message'])];
  const offence = name === 'connection.error' && isPeers(details.error) ? OFFENCES[String(details['during'])] : undefined;
  return offence === undefined ? [level, words] : ['warn', offence];
}

/** Facts of an event, errors as they are logged. `pid` is the logger's own; which application it was is news where there are several. */
function factsOf(name: EventName, { error, pid: _, app, host, ...rest }: Details, several: boolean): Record<string, unknown> {
  const facts: Record<string, unknown> = several && app !== undefined ? { app, ...rest } : { ...rest };
  if (host !== undefined && host !== 'local') facts['host'] = host;
  if (error !== undefined) facts['err'] = toldError(error);
  if (name === 'app.warning') delete facts['message'];
  const { why } = rest;
  if (why instanceof Error) facts['why'] = { message: toldError(why).message, code: (why as { code?: unknown }).code };
  else if (isObject(why) && why['error'] !== undefined) facts['why'] = { ...why, error: toldError(why['error']).message };
  return facts;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Key of events that are counted together: of the same kind, class or worker, and reason. */
function kindOf(name: EventName, { handler, worker, during, hook, reason, limit, code, error }: Details): string {
  const failure = error instanceof Error ? `${error.name} ${String((error as { code?: unknown }).code)}`.slice(0, 100) : '';
  return [name, handler, worker, during, hook, reason, limit, code, failure].join('|');
}

/** Facts that also hold for those of a kind that were left out. */
function sharedFacts({ handler, worker, url, during, hook, reason, limit, code }: Details): object {
  return { handler, worker, url, during, hook, reason, limit, code };
}

/** Loggers that are subscribers, and the names of their applications. */
const uses = new Map<Logger, { readonly apps: Set<string>; readonly end: () => void }>();

/**
 * Makes the logger a subscriber of everything that an application does, and of what belongs to the whole process; returns the end of that.
 * Two applications (or `spawn()`s) with one logger have each event told once.
 * A logger that throws is not asked twice for the same event, and nothing else notices.
 */
export function logEvents(logger: Logger, app: string, clock?: Clock): () => void {
  if (logger === silentLogger) return () => {};
  const known = uses.get(logger);
  const apps = known?.apps ?? new Set<string>();
  apps.add(app);
  const use = known ?? { apps, end: subscribe(logger, apps, clock) };
  uses.set(logger, use);
  return () => {
    if (!apps.delete(app) || apps.size > 0) return;
    uses.delete(logger);
    use.end();
  };
}

/** Logs one line. What the logger throws, and what a promise of it rejects with, has nowhere to be told. */
function write(logger: Logger, level: EventLevel, facts: object, words: string): void {
  try {
    const outcome: unknown = logger[level](facts, words);
    if (outcome instanceof Promise) outcome.catch(() => {});
  } catch {
    // The logger's own failure.
  }
}

function subscribe(logger: Logger, apps: ReadonlySet<string>, clock: Clock | undefined): () => void {
  const limiter = new LogLimiter(clock);
  const log = (name: EventName, details: Details): void => {
    const [level, words] = lineOf(name, details);
    const isLimited = LIMITED.has(name) && level !== 'debug';
    const summarize = (count: number): void => write(logger, level, { ...sharedFacts(details), untold: count }, words);
    const untold = isLimited ? limiter.take(kindOf(name, details), summarize) : 0;
    if (untold !== undefined) write(logger, level, { ...factsOf(name, details, apps.size > 1), ...(untold > 0 && { untold }) }, words);
  };
  const subscriptions = eventNames.map(name => {
    const listener = (details: unknown): void => {
      try {
        const { app } = details as Details;
        if (typeof app === 'string' && app !== '' && !apps.has(app)) return;
        if (name === 'worker.log') logRecord(logger, details as Events['worker.log']);
        else log(name, details as Details);
      } catch {
        // An error that cannot even be looked at.
      }
    };
    diagnostics.subscribe(`packet-ts:${name}`, listener);
    return () => diagnostics.unsubscribe(`packet-ts:${name}`, listener);
  });
  return () => {
    for (const end of subscriptions) end();
    limiter.close();
  };
}
