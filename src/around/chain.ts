import type { AroundContext, AroundFunction, AroundKind, NextOptions } from '../decorators/around-types.js';

/** Where functions made by us say what they wrap on a class or module; on a method they wrap whatever that is. Copies of the package share it. */
const KINDS = Symbol.for('packet-ts.around-kinds');

/** A function that on a class or module wraps only these kinds. */
export function onlyAround(kinds: readonly AroundKind[], fn: AroundFunction): AroundFunction {
  return Object.defineProperty(fn, KINDS, { value: kinds });
}

/** Selects from the functions of a class or module those that wrap this kind. */
export function aroundsFor(kind: AroundKind, fns: readonly AroundFunction[]): readonly AroundFunction[] {
  return fns.filter(fn => {
    const kinds = (fn as { readonly [KINDS]?: readonly AroundKind[] })[KINDS];
    return kinds === undefined || kinds.includes(kind);
  });
}

function both(first: AbortSignal | undefined, second: AbortSignal | undefined): AbortSignal | undefined {
  return first && second ? AbortSignal.any([first, second]) : (first ?? second);
}

/** Runs `run` inside all functions, the first one outermost. */
export function runAround(
  fns: readonly AroundFunction[],
  context: AroundContext,
  run: (signal: AbortSignal | undefined) => unknown,
): unknown {
  const step = (index: number, signal: AbortSignal | undefined): unknown => {
    const fn = fns[index];
    return fn ? fn(context, (how?: NextOptions) => step(index + 1, both(signal, how?.signal))) : run(signal);
  };
  return step(0, undefined);
}
