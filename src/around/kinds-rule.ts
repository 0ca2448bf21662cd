import type { AroundKind } from '../decorators/around-types.js';
import type { Rule } from '../option-rules.js';

const KINDS: Readonly<Record<AroundKind, true>> = { message: true, request: true, call: true, task: true };

/** The option `kinds` of functions that stand around something. */
export const KINDS_RULE: Rule = {
  expects: "a list of 'message', 'request', 'call' and 'task'",
  fits: value => Array.isArray(value) && value.every(kind => typeof kind === 'string' && Object.hasOwn(KINDS, kind)),
};
