import { registerTransferable } from '../transferable.js';
import type { Ctor } from './ctor.js';

/**
 * Lets an error class keep its class across the process boundary; both processes know it by the name.
 * @example @Transferable('quota_error') class QuotaError extends Error { constructor(readonly left: number) { super('quota exceeded'); } }
 */
export function Transferable(name: string): (target: Ctor<Error>) => void {
  return target => registerTransferable(name, target);
}
