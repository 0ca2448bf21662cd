import { ConfigurationError, type Mistake } from '../errors.js';
import type { Ctor } from './types.js';

/** A blueprint and what is wrong with it: reading never throws for what a user wrote. With mistakes it is as good as can be, and not to be run. */
export type Reading<T> = T & { readonly mistakes: readonly Mistake[] };

/** Notes one mistake of the class being read. */
export type Report = (member: PropertyKey | undefined, wrong: string, remedy: string) => void;

/** Name of a class in messages. Never an identity: minified bundles rename. */
export function nameOf(cls: unknown): string {
  return typeof cls === 'function' ? cls.name || '(anonymous class)' : String(cls);
}

/** A report that adds to a list, for one class. */
export function reporter(where: string, mistakes: Mistake[]): Report {
  return (member, wrong, remedy) => mistakes.push({ where, member: member === undefined ? undefined : String(member), wrong, remedy });
}

/** @throws ConfigurationError with every mistake, if there is one; what was found twice is told once. */
export function refuse(mistakes: readonly Mistake[]): void {
  const distinct = new Map(mistakes.map(mistake => [JSON.stringify([mistake.where, mistake.member, mistake.wrong]), mistake]));
  if (distinct.size > 0) throw new ConfigurationError([...distinct.values()]);
}

/**
 * A reading without mistakes.
 * @throws ConfigurationError with every mistake of the class.
 * @example const blueprint = valid(readConnection(EchoConnection));
 */
export function valid<T>(reading: Reading<T>): Reading<T> {
  refuse(reading.mistakes);
  return reading;
}

/** Reads each class once per process: declarations do not change. */
export function cached<T extends object>(read: (cls: Ctor, mistakes: Mistake[]) => T): (cls: Ctor) => Reading<T> {
  const readings = new WeakMap<Ctor, Reading<T>>();
  return cls => {
    let reading = readings.get(cls);
    if (!reading) {
      const mistakes: Mistake[] = [];
      readings.set(cls, (reading = { ...read(cls, mistakes), mistakes }));
    }
    return reading;
  };
}
