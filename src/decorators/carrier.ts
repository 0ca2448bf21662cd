import { UsageError } from '../errors.js';
import { isObject, show } from '../option-rules.js';

/** Bytes of all names and values of a carrier together. */
export const MOST_CARRIER = 4096;

/** Size of a carrier: bytes of its names and values in UTF-8. */
export function carrierSize(carrier: Readonly<Record<string, string>>): number {
  let size = 0;
  for (const name in carrier) size += byteLength(name) + byteLength(carrier[name]!);
  return size;
}

/** Whether it is one: a plain object of strings, at most {@link MOST_CARRIER} bytes of them. */
export function isCarrier(value: unknown): value is Readonly<Record<string, string>> {
  return (
    isObject(value) &&
    Object.values(value).every(each => typeof each === 'string') &&
    carrierSize(value as Record<string, string>) <= MOST_CARRIER
  );
}

/** @throws UsageError for what is none. `where`: the call as its caller would write it. */
export function checkCarrier(where: string, carrier: unknown): void {
  if (!isObject(carrier)) throw new UsageError(`${where}: carrier is ${show(carrier)}: expected an object of strings`);
  for (const [name, value] of Object.entries(carrier))
    if (typeof value !== 'string') throw new UsageError(`${where}: carrier.${name} is ${show(value)}: expected a string`);
  const size = carrierSize(carrier as Record<string, string>);
  if (size > MOST_CARRIER) throw new UsageError(`${where}: carrier has ${size} bytes: it may have ${MOST_CARRIER}`);
}

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return encoder.encode(text).length;
}
