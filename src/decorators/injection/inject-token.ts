import { inject as injectToken, type InjectionToken } from 'tsyringe';
import type { ProviderToken } from './provider-types.js';

/**
 * Injects what is provided for a token: a class, an abstract class, a string or a symbol. It is tsyringe's own decorator; a parameter
 * whose type is a class needs it only where no decorator metadata is emitted.
 * @example constructor(@inject(Store) private readonly store: Store, @inject('config') private readonly config: Config) {}
 */
// oxlint-disable-next-line typescript/no-explicit-any -- decorates parameters of any class, as tsyringe's does
export function inject(token: ProviderToken<any>, options?: { isOptional?: boolean }): ReturnType<typeof injectToken> {
  // tsyringe finds a value by the token's identity: an abstract class is as good as any other.
  return injectToken(token as InjectionToken<unknown>, options);
}
