import { Buffer } from 'node:buffer';
import { types } from 'node:util';

/** Stands in front of an object that was met before: its content is not repeated. */
const AGAIN = Symbol('again');
const END = Symbol('end');

/**
 * The content of a value of plain objects, arrays, memory, dates and primitives, to tell whether the value is still what it was: several
 * times faster than encoding it again, and long texts are compared by identity.
 */
export class Snapshot {
  readonly #slots: unknown[] = [];
  #at = 0;

  /** Undefined for a value that has other things in it. */
  static of(value: unknown): Snapshot | undefined {
    const snapshot = new Snapshot();
    return snapshot.#record(value, new Set()) ? snapshot : undefined;
  }

  /** Whether the value is unchanged. */
  matches(value: unknown): boolean {
    this.#at = 0;
    return this.#compare(value);
  }

  #record(value: unknown, seen: Set<object>): boolean {
    const slots = this.#slots;
    if (typeof value !== 'object' || value === null) return slots.push(value) > 0;
    if (seen.has(value)) return slots.push(AGAIN, value) > 0;
    seen.add(value);
    slots.push(value);
    if (ArrayBuffer.isView(value)) return slots.push(Buffer.from(bytesOf(value))) > 0;
    if (types.isDate(value)) return slots.push(Date.prototype.getTime.call(value)) > 0;
    if (Array.isArray(value)) {
      slots.push(value.length);
      for (let i = 0; i < value.length; i++) if (!(i in value) || !this.#record(value[i], seen)) return false;
      return true;
    }
    if (!isPlain(value)) return false;
    for (const key in value) {
      slots.push(key);
      if (!this.#record((value as Record<string, unknown>)[key], seen)) return false;
    }
    return slots.push(END) > 0;
  }

  #compare(value: unknown): boolean {
    const slots = this.#slots;
    const known = slots[this.#at++];
    if (typeof value !== 'object' || value === null) return Object.is(known, value);
    if (known === AGAIN) return slots[this.#at++] === value;
    if (known !== value) return false;
    if (Array.isArray(value)) {
      const { length } = value;
      if (slots[this.#at++] !== length) return false;
      for (let i = 0; i < length; i++) if (!this.#compare(value[i])) return false;
      return true;
    }
    if (ArrayBuffer.isView(value)) return Buffer.compare(bytesOf(value), slots[this.#at++] as Buffer) === 0;
    if (types.isDate(value)) return Object.is(slots[this.#at++], Date.prototype.getTime.call(value));
    if (!isPlain(value)) return false;
    for (const key in value) {
      if (slots[this.#at++] !== key || !this.#compare((value as Record<string, unknown>)[key])) return false;
    }
    return slots[this.#at++] === END;
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
