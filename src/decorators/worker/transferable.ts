import { UsageError } from '../../errors.js';
import { callable, checkGiven } from '../../option-rules.js';
import { registerTransferable, type Rebuilding } from '../../transferable.js';
import type { Ctor } from '../ctor.js';

/** How errors of a class with private state cross a process boundary. */
export type TransferableOptions<E extends Error, F> = Rebuilding<E, F>;

/**
 * Lets an error class keep its class across the process boundary; both processes know it by the name.
 *
 * The constructor does not run at the other side: the error is given its message, stack and own properties. A class whose getters read
 * `#private` fields says with `fields` what to send of them, and with `rebuild` how an error is made of that; where `rebuild` throws, the
 * error arrives as `Error` with its `name`. Throws UsageError for options that are no functions.
 * @example
 * @Transferable('quota_error', { fields: (error: QuotaError) => ({ left: error.left }), rebuild: ({ left }) => new QuotaError(left) })
 * class QuotaError extends Error { #left; constructor(left: number) { super('quota exceeded'); this.#left = left; } get left() { return this.#left; } }
 */
export function Transferable<E extends Error = Error, F = unknown>(
  name: string,
  options?: TransferableOptions<E, F>,
): (target: Ctor<E>) => void {
  checkGiven('@Transferable()', options, { fields: callable, rebuild: callable });
  const given: Partial<TransferableOptions<E, F>> | undefined = options;
  if (given && !(given.fields && given.rebuild))
    throw new UsageError(`@Transferable('${name}'): it needs both, fields: error => ({ … }) and rebuild: fields => new … `);
  return target => registerTransferable(name, target, options);
}
