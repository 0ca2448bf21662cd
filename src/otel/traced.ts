import { context } from '@opentelemetry/api';
import type { AroundFunction } from '../decorators/around-types.js';
import { extracted } from './carrier.js';

/**
 * In a worker: runs its tasks in the context that their calls bring, so that spans which the worker's own instrumentation makes (of a
 * database, of a client) hang below the call's. The worker's process needs an SDK of its own.
 * @example @Worker('prices') @Around(traced()) class Prices { … }
 */
export function traced(): AroundFunction {
  return (around, next) => {
    const parent = around.kind === 'task' ? extracted(around.carrier) : undefined;
    return parent ? context.with(parent, () => next()) : next();
  };
}
