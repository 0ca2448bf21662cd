import { UsageError } from '../errors.js';
import { show } from '../option-rules.js';
import type { AroundDecorator, AroundFunction } from './around-types.js';
import type { Ctor } from './ctor.js';
import { noteAround, onMember } from './metadata.js';

/**
 * Puts a function around what a class or one of its methods does: the messages and requests that a connection handles and the calls that it
 * makes, the calls of a provider, the tasks of a worker (in its process). `@Module({ around: [fn] })` puts it around everything. Several
 * stand around each other: the module's outermost, then the class's, then the method's, each in the order in which they are written.
 * @throws UsageError for what is no function.
 * @example @Around((context, next) => (isAllowed(context) ? next() : Promise.reject(new Error('no')))) class Admin { … }
 */
export function Around(fn: AroundFunction): AroundDecorator {
  if (typeof fn !== 'function') throw new UsageError(`@Around takes a function (context, next), not ${show(fn)}`);
  const member = onMember({ decorator: 'Around', fn });
  return (target: object, key?: PropertyKey | object): void => {
    // A class decorator that was compiled in the standard way is given an object.
    if (typeof key === 'string' || typeof key === 'symbol' || typeof key === 'number') member(target, key);
    else noteAround(target as Ctor, fn, key);
  };
}
