import { once } from 'node:events';
import { createServer } from 'node:net';
import { atEnd } from '../cleanup.js';
import { waitFor } from '../wait-for.js';

/** Bound by the process whose specs may start the examples. */
const LOCK = 11_099;

/**
 * Examples and templates listen at fixed ports, and spec files run side by side: one file at a time holds those ports, to its end.
 * @example before(holdExamplePorts);
 */
export async function holdExamplePorts(this: Mocha.Context): Promise<void> {
  this.timeout(600_000);
  const lock = createServer();
  const bind = async (): Promise<boolean> => {
    lock.listen(LOCK, '127.0.0.1');
    await once(lock, 'listening');
    return true;
  };
  await waitFor(bind, { within: '1m', what: 'the ports of the examples' });
  atEnd(() => new Promise<void>(resolve => void lock.close(() => resolve())));
}
