import { isObject } from '../option-rules.js';
import {
  isBaseOfConnections,
  ownDeclarations,
  type ClassDeclaration,
  type ClassKind,
  type MemberDeclaration,
} from '../decorators/metadata.js';
import type { Ctor } from './types.js';

/** The class and its bases, the class first. */
export function lineage(cls: Ctor): readonly Ctor[] {
  const classes: Ctor[] = [];
  for (let c: unknown = cls; typeof c === 'function' && c !== Function.prototype; c = Object.getPrototypeOf(c)) classes.push(c as Ctor);
  return classes;
}

/** The nearest class decorator, the class's own before those of its bases. */
export function declarationOf(cls: Ctor): ClassDeclaration | undefined {
  for (const c of lineage(cls)) {
    const [declaration] = ownDeclarations(c).classes;
    if (declaration) return declaration;
  }
  return undefined;
}

export function kindOf(cls: unknown): ClassKind | undefined {
  return typeof cls === 'function' ? declarationOf(cls as Ctor)?.kind : undefined;
}

/** Whether connections of that class or of a subclass may exist: a base need not be decorated. */
export function isOfConnections(cls: unknown): boolean {
  return kindOf(cls) === 'connection' || (typeof cls === 'function' && isBaseOfConnections(cls as Ctor));
}

/**
 * The options of that kind of decorator, merged over the bases: what a subclass says wins, what it leaves out is inherited. Where one was
 * given something that is no object, it is that.
 */
export function mergedOptions(cls: Ctor, kind: ClassKind): unknown {
  const merged: Record<string, unknown> = {};
  for (const c of lineage(cls).toReversed()) {
    for (const declaration of ownDeclarations(c).classes) {
      if (declaration.kind !== kind || !('options' in declaration)) continue;
      // JavaScript may give a decorator anything.
      const options: unknown = declaration.options;
      if (options !== undefined && !isObject(options)) return options;
      Object.assign(merged, withoutUndefined(options));
    }
  }
  return merged;
}

/** `undefined` is the same as not written. */
export function withoutUndefined(options: unknown): Record<string, unknown> {
  if (typeof options !== 'object' || options === null) return {};
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/**
 * The decorated methods in the order in which they run: declaration order, subclass before base.
 * A method that a subclass decorates again counts once, as the subclass wrote it.
 */
export function membersOf(cls: Ctor): readonly MemberDeclaration[] {
  const members: MemberDeclaration[] = [];
  for (const c of lineage(cls)) {
    const inherited = ownDeclarations(c).members.filter(
      m => !members.some(known => known.key === m.key && known.decorator === m.decorator),
    );
    members.push(...inherited);
  }
  return members;
}

/** The names of the methods on the prototypes of these classes, nearest first; neither accessors nor symbols. */
export function methodNames(classes: readonly Ctor[]): readonly string[] {
  const names = new Set<string>();
  for (const c of classes) {
    const prototype = (c as { prototype?: object }).prototype;
    if (prototype === undefined) continue;
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (name !== 'constructor' && typeof descriptor.value === 'function') names.add(name);
    }
  }
  return [...names];
}

/** True where the class has a method of that name, its own or inherited. Accessors are not run. */
export function hasMethod(cls: Ctor, key: PropertyKey): boolean {
  for (let p: unknown = (cls as { prototype?: object }).prototype; typeof p === 'object' && p !== null; p = Object.getPrototypeOf(p)) {
    const descriptor = Object.getOwnPropertyDescriptor(p, key);
    if (descriptor) return typeof descriptor.value === 'function';
  }
  return false;
}
