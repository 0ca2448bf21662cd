import type { Random } from '../../spec/kit/random.js';
import { takeApart } from '../structure/source-text.js';

/** One change of a compiled file. */
export interface Mutant {
  readonly kind:
    'comparison' | 'logic' | 'condition' | 'negation' | 'boolean' | 'constant' | 'call removed' | 'return removed' | 'early return';
  /** Offsets of what is replaced. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

const TURNED: Readonly<Record<string, string>> = {
  '===': '!==',
  '!==': '===',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
  '&&': '||',
  '||': '&&',
};
const NO_CALLS = new Set(['if', 'for', 'while', 'switch', 'catch', 'return', 'throw', 'super', 'function', 'import', 'new']);

/** The code with what the compiler itself put in blanked out: helpers for decorators and their calls, imports, exports. */
function ownCode(text: string): string {
  const blank = (part: string): string => part.replaceAll(/[^\n]/g, ' ');
  return takeApart(text)
    .code.replaceAll(/^var __\w+ = [\s\S]*?^\};$/gm, blank)
    .replaceAll(/^__decorate\([\s\S]*?^\](?:, .*)?\);$/gm, blank)
    .replaceAll(/^[ \t]+__(?:param|metadata)\(.*$/gm, blank)
    .replaceAll(/^(?:import|export) .*;$/gm, blank);
}

/** The offset behind the bracket that closes the one at `open`. */
function behindBracket(code: string, open: number): number {
  let depth = 0;
  for (let i = open; i < code.length; i += 1) {
    if ('([{'.includes(code[i]!)) depth += 1;
    else if (')]}'.includes(code[i]!) && (depth -= 1) === 0) return i + 1;
  }
  return code.length;
}

/** Where the statement that begins at `start` ends, behind its semicolon; undefined where it is none that ends with a call. */
function endOfCall(code: string, start: number): number | undefined {
  for (let i = start; i < code.length; i += 1) {
    const char = code[i]!;
    if ('([{'.includes(char)) i = behindBracket(code, i) - 1;
    else if (char === ';') return code[i - 1] === ')' ? i + 1 : undefined;
    else if (char === '=' || char === '}' || (char === '\n' && !/^\s*[.?]/.test(code.slice(i, i + 200)))) return undefined;
  }
  return undefined;
}

/** Every mutant of a compiled file, in the order of their places. */
export function mutantsOf(text: string): Mutant[] {
  const code = ownCode(text);
  const found: Mutant[] = [];
  const add = (kind: Mutant['kind'], start: number, end: number, replacement: string): void =>
    void found.push({ kind, start, end, replacement });

  for (const { 0: match, 1: sign, index } of code.matchAll(/(?<= )(===|!==|<=|>=|<|>|&&|\|\|)(?=\s)/g))
    add(/[&|]/.test(sign!) ? 'logic' : 'comparison', index, index + match.length, TURNED[sign!]!);
  for (const { index } of code.matchAll(/(?<![\w$)\]!])!(?=[\w$#(])/g)) add('negation', index, index + 1, '');
  for (const { 0: word, index } of code.matchAll(/(?<![\w$.#])(?:true|false)(?![\w$:])/g))
    add('boolean', index, index + word.length, word === 'true' ? 'false' : 'true');
  for (const { 0: number, index } of code.matchAll(/(?<![\w$.#])\d[\d_]*(?:\.\d+)?(?![\w$.:])/g))
    add('constant', index, index + number.length, Number(number) === 0 ? '1' : '0');
  for (const { 0: match, index } of code.matchAll(/\bif \(/g)) {
    const open = index + match.length - 1;
    const end = behindBracket(code, open);
    add('condition', open, end, `(!${text.slice(open, end)})`);
  }
  for (const { 0: match, 1: indent, 2: word, index } of code.matchAll(/^([ \t]*)(?:await |void )?([\w$]+)(?=[\w$.#?![\]]*\()/gm)) {
    const start = index + indent!.length;
    const end = NO_CALLS.has(word!) || word!.startsWith('__') ? undefined : endOfCall(code, start);
    if (end !== undefined && match.trim() !== '') add('call removed', start, end, ';');
  }
  for (const { index } of code.matchAll(/\breturn;/g)) add('return removed', index, index + 'return;'.length, ';');
  const heads = /^[ \t]*(?:export )?(?:(?:static|async|function|get|set) )*\*?\s?([#\w$]+)\(.*\) \{$/gm;
  for (const { 0: head, 1: name, index } of code.matchAll(heads)) {
    const at = index + head.length;
    const isEmpty = /^\s*\}/.test(code.slice(at, at + 200));
    if (!NO_CALLS.has(name!) && name !== 'constructor' && !isEmpty) add('early return', at, at, ' return;');
  }
  return found.sort((a, b) => a.start - b.start || a.end - b.end);
}

/** The text with the change made. */
export function mutate(text: string, { start, end, replacement }: Mutant): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

/** All of them in an order that the seed of `random` gives: the first so many are a sample. */
export function shuffled<T>(all: readonly T[], random: Random): T[] {
  const left = [...all];
  for (let i = left.length - 1; i > 0; i -= 1) {
    const j = random.below(i + 1);
    [left[i], left[j]] = [left[j]!, left[i]!];
  }
  return left;
}
