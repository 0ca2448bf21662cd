import type { AroundFunction, AroundKind } from '../decorators/around-types.js';
import { aroundsFor } from '../around/chain.js';
import { ownDeclarations, type MemberDeclaration, type MemberDecorator } from '../decorators/metadata.js';
import { lineage } from './lineage.js';
import type { Report } from './mistakes.js';
import type { Arounds, Ctor } from './types.js';

/** Method decorators that `@Around` can be combined with. */
const WRAPPED: ReadonlySet<MemberDecorator> = new Set<MemberDecorator>(['OnData', 'OnRequest', 'Route', 'Task']);

export const NO_AROUNDS: Arounds = { cls: [], methods: new Map() };

/** `@Around` on the class itself and its bases; those of a base stand outside. */
export function classArounds(cls: Ctor): readonly AroundFunction[] {
  return lineage(cls)
    .toReversed()
    .flatMap(each => ownDeclarations(each).arounds);
}

/** `@Around` on a class and its methods. */
export function readArounds(cls: Ctor, members: readonly MemberDeclaration[], report: Report): Arounds {
  const methods = new Map<PropertyKey, AroundFunction[]>();
  for (const member of members) {
    if (member.decorator !== 'Around') continue;
    const { key, fn } = member;
    if (!members.some(other => other.key === key && WRAPPED.has(other.decorator)))
      report(
        key,
        '@Around stands on a method that takes no message, request or call',
        'write it beside @OnData, @OnRequest, a route or @Task',
      );
    const fns = methods.get(key) ?? [];
    methods.set(key, [...fns, fn]);
  }
  return { cls: classArounds(cls), methods };
}

/** The functions around one method, the outermost first. */
export function aroundsOf({ cls, methods }: Arounds, kind: AroundKind, key: PropertyKey): readonly AroundFunction[] {
  return [...aroundsFor(kind, cls), ...(methods.get(key) ?? [])];
}

/** The functions of a class together with those of its module, which stand outside. */
export function within(module: readonly AroundFunction[], { cls, methods }: Arounds): Arounds {
  return { cls: [...module, ...cls], methods };
}
