import type { InjectionToken } from 'tsyringe';
import type { Ctor, Token } from '../../blueprint/types.js';

/** The token of `@injectWithTransform` and `@injectAllWithTransform`: tsyringe's own shape. */
export interface Transformed {
  readonly token: Token;
  readonly multiple?: boolean;
  readonly transform: InjectionToken<{ transform(value: unknown, ...args: unknown[]): unknown }>;
  readonly transformArgs?: readonly unknown[];
}

export function isTransformed(token: Token): token is Transformed {
  return typeof token === 'object' && 'transform' in token && 'token' in token;
}

/** The token of tsyringe's `delay()`: a stand-in that asks for the class when it is first used. */
export interface Delayed {
  createProxy<T>(create: (cls: Ctor) => T): T;
}

export function isDelayed(token: Token): token is Delayed {
  return typeof token === 'object' && typeof (token as { createProxy?: unknown }).createProxy === 'function';
}

/** The class that it stands in for. */
export function delayedClass(token: Delayed): Ctor {
  let found: Ctor | undefined;
  const used = token.createProxy((cls): object => {
    found = cls;
    return {};
  });
  Reflect.has(used, 'anything');
  return found!;
}
