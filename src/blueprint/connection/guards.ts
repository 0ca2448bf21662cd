import type { UseFunction } from '../../decorators/connection/use-types.js';
import { ownDeclarations, type MemberDeclaration } from '../../decorators/metadata.js';
import { lineage } from '../lineage.js';
import type { Guards } from './guard-types.js';
import type { Report } from '../mistakes.js';
import type { Ctor } from '../types.js';

/** Reads `@Use` on a class and its methods; those of a base are asked first. */
export function readGuards(cls: Ctor, members: readonly MemberDeclaration[], report: Report): Guards {
  const own = lineage(cls)
    .toReversed()
    .flatMap(each => ownDeclarations(each).uses);
  const answers = members.filter(({ decorator }) => decorator === 'Route' || decorator === 'OnRequest');
  const methods = new Map<PropertyKey, UseFunction[]>();
  for (const member of members) {
    if (member.decorator !== 'Use') continue;
    const { key, fn } = member;
    if (!answers.some(other => other.key === key))
      report(key, '@Use stands on a method that answers no request', 'write it beside @OnRequest or a route');
    methods.set(key, [...(methods.get(key) ?? []), fn]);
  }
  if (own.length > 0 && answers.length === 0)
    report(undefined, '@Use stands on a class that answers no request', 'write @OnRequest or a route, or take it away');
  return { cls: own, methods };
}
