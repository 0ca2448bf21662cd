import { existsSync, readFileSync } from 'node:fs';

/** Nanoseconds on a processor, first of three numbers. One thread of this process: the one that runs JavaScript. */
const MAIN_THREAD = `/proc/self/task/${process.pid}/schedstat`;
const KNOWN = existsSync(MAIN_THREAD);

/**
 * Microseconds of processor time that the master's main thread has had: what contenders leave to the application.
 * Where the system does not tell threads apart it is the whole process, worker threads included.
 */
export function masterCpu(): number {
  if (KNOWN) return Number(readFileSync(MAIN_THREAD, 'latin1').split(' ', 1)[0]) / 1000;
  const { user, system } = process.cpuUsage();
  return user + system;
}
