import { UsageError } from '../../errors.js';
import { show } from '../../option-rules.js';
import type { AroundDecorator } from '../around-types.js';
import type { Ctor } from '../ctor.js';
import { noteUse, onMember } from '../metadata.js';
import type { UseFunction } from './use-types.js';

/**
 * Puts a guard before the routes and `@OnRequest` of an `http:` class, or before one of them: a function of the web's kind. It is asked
 * before the body is read and anything is validated. Several are asked in the order in which they are written, those of a base class
 * first, those of the class before those of the method.
 * @throws UsageError for what is no function.
 * @example
 * const signedIn: UseFunction = request => (isKnown(request) ? undefined : new Response('who are you?', { status: 401 }));
 * @Connection({ listen: 'http://127.0.0.1:8080' })
 * @Use(signedIn)
 * class Orders { … }
 */
export function Use(fn: UseFunction): AroundDecorator {
  if (typeof fn !== 'function') throw new UsageError(`@Use takes a function (request, next), not ${show(fn)}`);
  const member = onMember({ decorator: 'Use', fn });
  return (target: object, key?: PropertyKey | object): void => {
    // A class decorator that was compiled in the standard way is given an object.
    if (typeof key === 'string' || typeof key === 'symbol' || typeof key === 'number') member(target, key);
    else noteUse(target as Ctor, fn, key);
  };
}
