import { realClock, type Clock, type ClockTimer } from '../clock.js';
import { deadline } from '../deadline.js';

/** Callbacks for the signals that ask an application to close. */
export interface SignalHandlers {
  /** The first SIGINT or SIGTERM: close gracefully. */
  first(signal: NodeJS.Signals): void;
  /** A further request: close at once. */
  second(signal: NodeJS.Signals): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Window in milliseconds in which the same signal is a copy of the first request. A terminal signals its whole foreground group, and
 * `npm start`, `timeout` and `tini -g` pass on what they have received: one Ctrl-C arrives twice.
 */
const COPIES_WITHIN = 1_000;

/** Installs the handlers; the returned function removes them. */
export function handleSignals(handlers: SignalHandlers, clock: Clock = realClock): () => void {
  let requested: NodeJS.Signals | undefined;
  let window: ClockTimer | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    if (requested === undefined) {
      requested = signal;
      // A deadline: a copy may wait unread behind a handler that blocks the event loop for longer than the window.
      window = deadline(clock, COPIES_WITHIN, () => (window = undefined));
      handlers.first(signal);
    } else if (signal !== requested || !window) {
      handlers.second(signal);
    }
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return () => {
    window?.cancel();
    for (const signal of SIGNALS) process.off(signal, listener);
  };
}

/** Handlers of uncaught exceptions and rejections. */
export interface StrayHandlers {
  exception(error: unknown): void;
  rejection(reason: unknown): void;
}

/** Installs the handlers; the returned function removes them. */
export function handleStrays(handlers: StrayHandlers): () => void {
  const exception = (error: unknown): void => handlers.exception(error);
  const rejection = (reason: unknown): void => handlers.rejection(reason);
  process.on('uncaughtException', exception);
  process.on('unhandledRejection', rejection);
  return () => {
    process.off('uncaughtException', exception);
    process.off('unhandledRejection', rejection);
  };
}
