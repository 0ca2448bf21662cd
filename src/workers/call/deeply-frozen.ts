/** Whether reading a property gives the same primitive or frozen thing for ever. A getter may answer anything, however frozen it is. */
function isFixed(object: object, key: PropertyKey, seen: Set<object>): boolean {
  const property = Object.getOwnPropertyDescriptor(object, key);
  return property !== undefined && 'value' in property && isFrozenValue(property.value, seen);
}

function isFrozenValue(value: unknown, seen: Set<object>): boolean {
  if (typeof value !== 'object' || value === null || seen.has(value)) return true;
  if (!Object.isFrozen(value)) return false;
  seen.add(value);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isFixed(value, i, seen)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  // Dates, maps and sets change however frozen they are, and memory cannot be frozen.
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key of Object.keys(value)) if (!isFixed(value, key, seen)) return false;
  return true;
}

/** Whether nothing can change a value any more: plain objects and arrays, each frozen, of primitives and of such objects. */
export function isDeeplyFrozen(value: unknown): boolean {
  return isFrozenValue(value, new Set());
}
