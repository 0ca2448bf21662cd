import { inspect, types } from 'node:util';

/** Levels of objects within objects that a record may have, and entries in all. */
const MOST = { depth: 6, entries: 1_000, text: 1_000 } as const;

/** Entries that one record may still have. */
interface Budget {
  entries: number;
}

function shown(value: unknown): string {
  const text = inspect(value, { depth: 1, breakLength: Infinity, maxStringLength: MOST.text });
  return text.slice(0, MOST.text);
}

function copied(value: unknown, depth: number, budget: Budget): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || types.isNativeError(value)) return value;
  if (types.isDate(value)) return value.toISOString();
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return copied((toJSON as () => unknown).call(value), depth + 1, budget);
  if (depth > MOST.depth || budget.entries <= 0 || ArrayBuffer.isView(value) || types.isMap(value) || types.isSet(value))
    return shown(value);
  if (Array.isArray(value))
    return value.slice(0, Math.max(0, (budget.entries -= value.length) + value.length)).map(each => copied(each, depth + 1, budget));
  return fields(value, depth, budget);
}

function fields(value: object, depth: number, budget: Budget): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    if (--budget.entries < 0) break;
    Object.defineProperty(copy, name, { value: copied(field, depth + 1, budget), enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

/**
 * Copies a logged object as data that can be sent: as JSON would have it, errors kept, bounded. To log is no reason for a task to fail, so that what
 * throws when it is looked at is shown as far as it can be.
 */
export function loggable(object: object): Record<string, unknown> {
  if (types.isNativeError(object)) return { err: object };
  try {
    return fields(object, 0, { entries: MOST.entries });
  } catch (error) {
    return { unreadable: error instanceof Error ? error.message.slice(0, MOST.text) : typeof error };
  }
}
