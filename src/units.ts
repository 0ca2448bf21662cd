import { UsageError } from './errors.js';

/** A span of time: milliseconds, or a number with its unit. `0` (or `false`, where an option allows it) means "no limit". */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** An amount of memory: bytes, or a number with its unit (1 kb = 1024 bytes). */
export type Size = number | `${number}${'b' | 'kb' | 'mb' | 'gb'}`;

/** Switches a limit off, like `0`. */
export type Off = false;

const TIME = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const;

/** The longest delay a timer can take, about 24.8 days: what is longer never fires. */
export const MAX_DELAY = 2 ** 31 - 1;

function parse(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text.trim());
  const factor = match && units[match[2]!.toLowerCase()];
  return match && factor !== undefined && factor !== null ? Number(match[1]) * factor : undefined;
}

/** The given number or text, as it would be written in code. */
function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/**
 * A duration in milliseconds; `0` for "off".
 * @throws UsageError when it is no duration.
 * @example toMilliseconds('1.5s') // 1500
 */
export function toMilliseconds(duration: Duration | Off): number {
  const value = duration === false ? 0 : typeof duration === 'string' ? parse(duration, TIME) : duration;
  if (typeof value !== 'number' || !(value >= 0))
    throw new UsageError(`${shown(duration)} is not a duration: write milliseconds or '100ms', '1s', '5m', '2h', '1d'`);
  return value;
}

/**
 * A size in bytes; `0` for "off".
 * @throws UsageError when it is no size.
 * @example toBytes('64kb') // 65536
 */
export function toBytes(size: Size | Off): number {
  const value = size === false ? 0 : typeof size === 'string' ? parse(size, SIZE) : size;
  if (typeof value !== 'number' || !(value >= 0)) throw new UsageError(`${shown(size)} is not a size: write bytes or '64kb', '1mb', '2gb'`);
  return Math.floor(value);
}

/** A limit as the code compares with it: "off" is Infinity. */
export function limitOf(value: number): number {
  return value === 0 ? Infinity : value;
}
