import { publish } from '../diagnostics.js';
import { asError } from '../errors.js';

/**
 * Wraps what observes an application: Node takes what a subscriber throws for an uncaught exception, and an SDK or a registry that fails is no
 * reason to close. The first failure of each wrapped function is told, as a warning of `app`; `what` names the observer.
 * @returns whether it succeeded
 */
export function careful<A extends readonly unknown[]>(app: string, what: string, observe: (...args: A) => void): (...args: A) => boolean {
  let told = false;
  return (...args) => {
    try {
      observe(...args);
      return true;
    } catch (thrown) {
      if (!told) publish('app.warning', { app, message: `${what} failed: what is observed goes on without it`, error: asError(thrown) });
      told = true;
      return false;
    }
  };
}
