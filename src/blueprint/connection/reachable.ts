import { ownDeclarations } from '../../decorators/metadata.js';
import { lineage } from '../lineage.js';
import type { Report } from '../mistakes.js';
import type { Ctor } from '../types.js';

/**
 * Reports methods that never run, because one before them in the same class takes everything that would come to them.
 * A subclass may take the place of its base: that is no mistake.
 */
export function checkReachable(cls: Ctor, report: Report): void {
  for (const each of lineage(cls)) {
    const members = ownDeclarations(each).members.filter(({ isStatic }) => !isStatic);
    const routes = members.flatMap(member => (member.decorator === 'OnData' ? [member] : []));
    const catchAll = routes.findIndex(({ schema }) => schema === undefined);
    for (const { key } of catchAll < 0 ? [] : routes.slice(catchAll + 1))
      report(
        key,
        `@OnData is never reached: ${String(routes[catchAll]!.key)}() stands before it, has no schema and takes every message`,
        'give the one before it a schema, put this one first, or make one method of both',
      );
    const [first, ...others] = members.filter(({ decorator }) => decorator === 'OnRequest');
    for (const { key } of others)
      report(
        key,
        `a second @OnRequest is never called: ${String(first!.key)}() answers every request`,
        'let one method answer, and tell them apart by the url',
      );
  }
}
