import type { Ctor, Token } from '../../blueprint/types.js';
import type { Absence } from './build-plan.js';

/** The classes that the framework provides, of every copy of the package in this process, and the url of the copy. */
const COPIES: Map<unknown, string> = ((globalThis as Record<symbol, unknown>)[Symbol.for('packet-ts.copies')] ??= new Map()) as Map<
  unknown,
  string
>;

let here = '';

/** Makes this copy known. Called once, when it is imported. */
export function registerCopy(url: string, tokens: readonly Ctor[]): void {
  here = url;
  for (const token of tokens) COPIES.set(token, url);
}

/** A framework class of another copy of the package: this one provides its own. */
export function secondCopyOf(token: Token): Absence | undefined {
  const url = COPIES.get(token);
  if (url === undefined || url === here) return undefined;
  return {
    wrong: `this ${(token as Ctor).name} belongs to a second copy of packet-ts, ${url}; the application runs on ${here}`,
    remedy: "install one copy: 'npm dedupe', or make packet-ts a peer dependency of the package that brings the other one",
  };
}
