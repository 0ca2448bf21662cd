import { isSchema } from '../schema.js';
import { isFraming, isObject, knownNames, show, type Rule, type Rules } from '../option-rules.js';
import type { Report } from './mistakes.js';

export * from '../option-rules.js';

export const schema: Rule = { expects: 'a schema (zod, or any other that follows Standard Schema)', fits: isSchema };
export const framing: Rule = {
  expects: "a framing: lines(), json() … of 'packet-ts/framing', or your own",
  fits: isFraming,
};

/** Reports unknown options and values that break their rule; returns the others. `member`: the decorator that they are written in. */
export function checkOptions(options: unknown, rules: Rules, member: string | undefined, report: Report): Record<string, unknown> {
  const good: Record<string, unknown> = {};
  if (!isObject(options)) {
    report(member, `its options are ${show(options)}`, 'expected an object');
    return good;
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(rules, name)) {
      report(member, `there is no option '${name}'`, knownNames(name, Object.keys(rules)));
    } else if (rules[name]!.fits(value)) good[name] = value;
    else report(member, `${name} is ${show(value)}`, `expected ${rules[name]!.expects}`);
  }
  return good;
}
