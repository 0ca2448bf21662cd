import { isIP } from 'node:net';
import { MAX_DELAY, toBytes, toMilliseconds } from '../units.js';
import { isSchema } from '../schema.js';
import type { Report } from './mistakes.js';

/** What an option must be. */
export interface Rule {
  /** In words, after "expected". */
  readonly expects: string;
  fits(value: unknown): boolean;
}

export type Rules = Readonly<Record<string, Rule>>;

function quiet(parse: () => number, most = Infinity): boolean {
  try {
    return parse() <= most;
  } catch {
    return false;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isTimeText = (value: unknown): boolean => isText(value) || typeof value === 'number' || value === false;

function isRange(value: unknown): boolean {
  if (!isText(value)) return false;
  const [address = '', prefix, ...more] = value.split('/');
  const bits = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : -1;
  return more.length === 0 && bits > 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits));
}

export const duration: Rule = {
  expects: "a duration: milliseconds or '100ms', '1s', '5m', '2h', '1d', at most 24 days",
  fits: value => isTimeText(value) && quiet(() => toMilliseconds(value as number), MAX_DELAY),
};
export const size: Rule = {
  expects: "a size: bytes or '64kb', '1mb', '2gb'",
  fits: value => isTimeText(value) && quiet(() => toBytes(value as number)),
};
export const flag: Rule = { expects: 'true or false', fits: value => typeof value === 'boolean' };
export const text: Rule = { expects: 'a string', fits: isText };
export const texts: Rule = { expects: 'a list of strings', fits: value => Array.isArray(value) && value.every(isText) };
export const ranges: Rule = {
  expects: "a list of addresses or ranges: '10.1.2.3', '10.0.0.0/8', 'fd00::/8'",
  fits: value => Array.isArray(value) && value.every(isRange),
};
export const list: Rule = { expects: 'a list', fits: Array.isArray };
export const object: Rule = { expects: 'an object', fits: isObject };
export const schema: Rule = { expects: 'a schema (zod, or any other that follows Standard Schema)', fits: isSchema };
export const framing: Rule = {
  expects: "a framing: lines(), json() … of 'packet-ts/framing', or your own",
  fits: value => isObject(value) && typeof value['decoder'] === 'function' && typeof value['encode'] === 'function',
};

/** A whole number from `least`; `false` too, where it switches a limit off. */
export function count(least: number, off = false): Rule {
  return {
    expects: `a whole number, ${least} or more${off ? ', or false' : ''}`,
    fits: value => (Number.isSafeInteger(value) && (value as number) >= least) || (off && value === false),
  };
}

export function number(least: number): Rule {
  return { expects: `a number, ${least} or more`, fits: value => typeof value === 'number' && value >= least && Number.isFinite(value) };
}

export function oneOf(...words: readonly string[]): Rule {
  return { expects: words.map(word => `'${word}'`).join(' or '), fits: value => words.includes(value as string) };
}

export function either(...rules: readonly Rule[]): Rule {
  return { expects: rules.map(rule => rule.expects).join(', or '), fits: value => rules.some(rule => rule.fits(value)) };
}

export const off: Rule = { expects: 'false', fits: value => value === false };
export const callable: Rule = { expects: 'a function or class', fits: value => typeof value === 'function' };

/** An object whose fields follow rules of their own. */
export function shape(rules: Rules, required: readonly string[] = []): Rule {
  const fields = Object.keys(rules).map(name => (required.includes(name) ? name : `${name}?`));
  return {
    expects: `{ ${fields.join(', ')} }, each of its kind`,
    fits: value =>
      isObject(value) &&
      required.every(name => value[name] !== undefined) &&
      Object.entries(value).every(([name, field]) => field === undefined || (Object.hasOwn(rules, name) && rules[name]!.fits(field))),
  };
}

function show(value: unknown): string {
  if (typeof value === 'function') return `the function ${value.name}`;
  // It may be a private key, and mistakes are logged.
  if (isText(value) && value.includes('-----BEGIN ')) return 'a PEM';
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

/** How many letters must change to come from one word to the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (letter === b[j] ? 0 : 1)));
    row = next;
  }
  return row.at(-1)!;
}

function nearest(name: string, names: readonly string[]): string | undefined {
  const ranked = names.map(known => [distance(name.toLowerCase(), known.toLowerCase()), known] as const).toSorted(([a], [b]) => a - b);
  return ranked[0] && ranked[0][0] <= 3 ? ranked[0][1] : undefined;
}

/** Reports options that do not exist or are not what they must be; returns those that are. `member` says which decorator wrote them. */
export function checkOptions(
  options: Readonly<Record<string, unknown>>,
  rules: Rules,
  member: string | undefined,
  report: Report,
): Record<string, unknown> {
  const good: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(rules, name)) {
      const meant = nearest(name, Object.keys(rules));
      report(
        member,
        `there is no option '${name}'`,
        meant === undefined ? `the options are ${Object.keys(rules).join(', ')}` : `write '${meant}'`,
      );
    } else if (rules[name]!.fits(value)) good[name] = value;
    else report(member, `${name} is ${show(value)}`, `expected ${rules[name]!.expects}`);
  }
  return good;
}
