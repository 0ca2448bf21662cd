/** What the application does when the system or a stray exception wants it gone. */
export interface SignalHandlers {
  /** SIGINT or SIGTERM for the first time: close gracefully. */
  first(signal: NodeJS.Signals): void;
  /** Again: at once. */
  second(signal: NodeJS.Signals): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Installs the handlers; the returned function removes them. */
export function handleSignals(handlers: SignalHandlers): () => void {
  let asked = false;
  const listener = (signal: NodeJS.Signals): void => {
    if (asked) return handlers.second(signal);
    asked = true;
    handlers.first(signal);
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener);
  };
}

/** What becomes of exceptions that no handler caught. */
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
