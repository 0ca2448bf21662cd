import type { AppBlueprint, Token } from '../../blueprint/types.js';
import type { Mistake } from '../../errors.js';
import type { Override } from './container.js';
import { tokenText } from './build-plan.js';

type Overrides = ReadonlyMap<Token, Override>;

/** Overrides of the master's container: those of workers stand in for their processes, and cannot be injected as such. */
export function mastersOverrides(overrides: Overrides | undefined, { workers }: AppBlueprint): Overrides | undefined {
  const classes = new Set<unknown>(workers.map(({ cls }) => cls));
  return overrides && new Map([...overrides].filter(([token]) => !classes.has(token)));
}

/** The tokens that the application's plans need. */
interface Plan {
  readonly asked: ReadonlySet<Token>;
  readonly mayAskForMore: boolean;
}

/**
 * Overrides that would change nothing: a test that relies on one runs the real thing.
 * @param plans of the master and of inline workers: what a process of its own builds cannot be replaced from here
 */
export function unusedOverrides(
  overrides: Overrides,
  { workers, connections, inside, mounted }: AppBlueprint,
  plans: readonly Plan[],
): Mistake[] {
  const asked = new Set(plans.flatMap(plan => [...plan.asked]));
  for (const { cls } of workers) asked.add(cls);
  const unknown = plans.some(plan => plan.mayAskForMore) || mounted.length > 0;
  const handlers = new Set<unknown>(connections.map(({ cls }) => cls));
  return [...overrides.keys()].flatMap(token => {
    if (asked.has(token)) return [];
    const where = `override(${tokenText(token)})`;
    const owner = workers.find(({ cls }) => inside.get(cls)!.providers.some(provider => provider.token === token));
    if (owner)
      return {
        where,
        wrong: `${owner.className} provides it in a process of its own, which a test cannot reach into`,
        remedy: `start({ runtime: 'inline' }), or override(${owner.className}) as a whole`,
      };
    if (handlers.has(token))
      return { where, wrong: 'a connection class is built for each peer, and cannot be overridden', remedy: 'override what it injects' };
    if (unknown) return [];
    return { where, wrong: 'nothing provides it or asks for it', remedy: 'override what the application uses, or leave it out' };
  });
}
