let lastProcess = 0;

/** An id for a worker's process, unique on this machine while the master lives. */
export function nextProcessId(): string {
  return `${process.pid.toString(36)}-w${(++lastProcess).toString(36)}`;
}
