import { nameOf } from '../../blueprint/index.js';
import type { AppBlueprint, Token } from '../../blueprint/types.js';
import { tokenText, type Absence } from './build-plan.js';

/** The remedy for the master asking for a provider of a worker's own process. */
export function providedInside({ inside }: AppBlueprint, token: Token): Absence | undefined {
  for (const [cls, { providers }] of inside) {
    if (!providers.some(provider => provider.token === token)) continue;
    return {
      wrong: `${tokenText(token)} is provided inside ${nameOf(cls)}, in a process of its own, and this class is in the master`,
      remedy: 'let a module provide it, too, or call the worker with @InjectWorker; docs/providers.md',
    };
  }
  return undefined;
}
