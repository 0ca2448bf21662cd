import process from 'node:process';

const PREFIX = `${process.pid.toString(36)}-`;

/** The id of a connection or request: never reused, not even by another process that is running. */
export function connectionId(serial: number): string {
  return PREFIX + serial.toString(36);
}
