import { isIP } from 'node:net';
import { UsageError } from './errors.js';
import { MAX_DELAY, toBytes, toMilliseconds } from './units.js';

/** The rule of an option: a test and its words. */
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

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
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

/** Has the methods of a framing. */
export function isFraming(value: unknown): boolean {
  return isObject(value) && typeof value['decoder'] === 'function' && typeof value['encode'] === 'function';
}

const ALL_PERMISSIONS = 0o777;

/** Whether a file mode gives its owner at least what it gives the group, and the group what it gives others. */
function isOrderly(mode: number): boolean {
  const [owner, group, others] = [mode >> 6, (mode >> 3) & 7, mode & 7] as const;
  return (group & ~owner) === 0 && (others & ~group) === 0;
}

/** Permissions of a file. Refuses a decimal that was meant to be octal: 666 is 0o1232, and everybody may do what it says by chance. */
export const fileMode: Rule = {
  expects: 'permissions in octal, such as 0o600, 0o660 or 0o666 (the decimal number 666 is something else)',
  fits: value => {
    if (!Number.isSafeInteger(value)) return false;
    const mode = value as number;
    if (mode < 0 || mode > ALL_PERMISSIONS) return false;
    const meant = /^[0-7]{3}$/.test(String(mode)) ? Number.parseInt(String(mode), 8) : undefined;
    return isOrderly(mode) || meant === undefined || !isOrderly(meant);
  },
};

export const anything: Rule = { expects: 'anything', fits: () => true };
export const signal: Rule = {
  expects: 'an AbortSignal: of a controller its `.signal`',
  fits: value => isObject(value) && typeof value['aborted'] === 'boolean' && typeof value['addEventListener'] === 'function',
};
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

/** Values of these classes are shown by what is in them. */
const PLAIN: ReadonlySet<string> = new Set(['Object', 'Array', 'Date', 'Boolean', 'Number', 'String']);

/** Stands around what is no text: JSON has no words for it, or null. */
const MARK = '\u0000';
const MARKED = /"\\u0000(.*?)\\u0000"/g;

function unlikeJson(_key: string, value: unknown): unknown {
  const type = typeof value;
  if (type === 'function') return `${MARK}a function${MARK}`;
  if (type === 'bigint') return `${MARK}${String(value)}n${MARK}`;
  const isBare = value === undefined || type === 'symbol' || (type === 'number' && !Number.isFinite(value));
  return isBare ? `${MARK}${String(value)}${MARK}` : value;
}

/** A value as an error shows it: never a private key. */
export function show(value: unknown): string {
  if (typeof value === 'function') return `the function ${value.name}`;
  // The text may be a private key, and mistakes are logged.
  if (isText(value) && value.includes('-----BEGIN ')) return 'a PEM';
  try {
    const { name } = (value as object | undefined)?.constructor ?? {};
    if (typeof value === 'object' && value !== null && name !== undefined && !PLAIN.has(name)) return `an object of class ${name}`;
    return JSON.stringify(value, unlikeJson).replaceAll(MARKED, '$1');
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

/** The known name that was probably meant. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const ranked = names.map(known => [distance(name.toLowerCase(), known.toLowerCase()), known] as const).toSorted(([a], [b]) => a - b);
  // Half of a short word changed is another word.
  return ranked[0] && ranked[0][0] <= Math.min(3, name.length / 2) ? ranked[0][1] : undefined;
}

/**
 * Checks the options that a public function was given; none are fine.
 * @param where the call as its caller would write it: `'app.close()'`
 * @throws UsageError naming the first option that does not exist or is not what it must be.
 */
export function checkGiven(where: string, given: unknown, rules: Rules): void {
  if (given === undefined) return;
  if (!isObject(given)) throw new UsageError(`${where}: its options are ${show(given)}: expected an object`);
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(rules, name)) throw new UsageError(`${where} has no option '${name}': ${knownNames(name, Object.keys(rules))}`);
    if (value !== undefined && !rules[name]!.fits(value))
      throw new UsageError(`${where}: ${name} is ${show(value)}: expected ${rules[name]!.expects}`);
  }
}

/**
 * Checks the options of a public function that cannot do without some of them.
 * @throws UsageError as `checkGiven` does, and naming the first of `needed` that is missing.
 */
export function checkNeeded(where: string, given: unknown, rules: Rules, ...needed: readonly string[]): void {
  checkGiven(where, given, rules);
  const missing = needed.find(name => !isObject(given) || given[name] === undefined);
  if (missing !== undefined) throw new UsageError(`${where}: ${missing} is missing: expected ${rules[missing]!.expects}`);
}

/** @throws UsageError for what is no application. One of another copy of the package is one. */
export function checkApp(where: string, app: unknown): void {
  if (isObject(app) && isText(app['name']) && typeof app['describe'] === 'function') return;
  throw new UsageError(`${where} takes an application, as bootstrap() returns it, and was given ${show(app)}`);
}

/** Advice for a name that is unknown. */
export function knownNames(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  if (meant !== undefined) return `write '${meant}'`;
  return known.length === 0 ? 'there are none' : `the options are ${known.join(', ')}`;
}
