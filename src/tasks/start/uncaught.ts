import process from 'node:process';
import { inspect } from 'node:util';

/**
 * Ends the process for an exception that no task can be blamed for: thrown in a timer or an event, or a rejection without a handler.
 * The worker's state is unknown then, so the process ends: the error goes to stderr and with a message to the master,
 * which replaces the process; running calls end with WorkerCrashedError and that stderr.
 *
 * A listener of the application's own takes over: it decided to live on.
 */
export function endOnUncaught(report: (error: unknown, fatal: boolean) => void): void {
  process.on('uncaughtException', error => {
    try {
      process.stderr.write(`${inspect(error)}\n`);
    } catch {
      // The stream has no reader any more: the master gets the message.
    }
    const fatal = process.listenerCount('uncaughtException') === 1;
    report(error, fatal);
    if (fatal) process.exit(1);
  });
}
