import type { Ctor, Token } from '../../blueprint/types.js';
import { ConfigurationError } from '../../errors.js';
import { tokenText, type Maker } from './build-plan.js';
import type { Scope } from './scope.js';

/** Something that exists once in the application. Built when first needed; what it needs is built before. */
export class Singleton {
  readonly token: Token;
  /** The class, where it is one: hooks and timers are found by it. */
  readonly cls: Ctor | undefined;
  readonly #make: Maker;
  #state: 'new' | 'building' | 'built' = 'new';
  #value: unknown;

  constructor(token: Token, cls: Ctor | undefined, make: Maker) {
    this.token = token;
    this.cls = cls;
    this.#make = make;
  }

  get built(): boolean {
    return this.#state === 'built';
  }

  /** The instance. `order` receives this entry once, behind everything that it depends on. */
  get(scope: Scope, order: Singleton[]): unknown {
    if (this.#state === 'built') return this.#value;
    if (this.#state === 'building') {
      throw new ConfigurationError([
        {
          where: tokenText(this.token),
          wrong: 'is needed while it is being built: its factories resolve each other in a circle',
          remedy: 'break the circle, or resolve one side later',
        },
      ]);
    }
    this.#state = 'building';
    try {
      this.#value = this.#make(scope);
      this.#state = 'built';
    } finally {
      if (this.#state === 'building') this.#state = 'new';
    }
    order.push(this);
    return this.#value;
  }
}
