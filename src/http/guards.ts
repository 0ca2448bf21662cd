import type { UseFunction } from '../decorators/connection/use-types.js';
import type { RouteAbout } from '../decorators/connection/route-types.js';
import { asError, UsageError } from '../errors.js';
import { isResponse } from '../is-response.js';
import type { Answer } from './outgoing.js';
import { PlainAnswer } from './plain-answer.js';

/** A request that guards stand before. */
export interface GuardedRequest {
  readonly about: RouteAbout;
  request(): Request;
  /** The answer of `@OnError`. Rejects with the error where there is none. */
  explain(error: Error, hook: string): Promise<Response>;
}

function responseOf(answer: Answer): Response {
  if (!(answer instanceof PlainAnswer)) return answer;
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers)) for (const each of [value].flat()) headers.append(name, each);
  return new Response(answer.body as ConstructorParameters<typeof Response>[0], { status: answer.status, headers });
}

/**
 * Asks guards in order, and `run` behind the last one.
 * @param run the answer of what they stand before; errors have been explained where they can be.
 * @throws what `run` rejects with, and errors of guards that `@OnError` does not explain.
 */
export async function runGuards(
  fns: readonly UseFunction[],
  guarded: GuardedRequest,
  run: () => Answer | Promise<Answer>,
): Promise<Answer> {
  /** The error of `run`: it was told already. */
  let told: unknown;
  const step = async (index: number): Promise<Answer> => {
    const fn = fns[index];
    if (!fn) {
      try {
        return await run();
      } catch (error) {
        told = error;
        throw error;
      }
    }
    let inner: Promise<Response> | undefined;
    const next = (): Promise<Response> => {
      inner ??= step(index + 1).then(responseOf);
      // The guard need not wait for it.
      inner.catch(() => {});
      return inner;
    };
    const given: unknown = await fn(guarded.request(), next, guarded.about);
    if (isResponse(given)) return given;
    if (given !== undefined) throw new UsageError('a function of @Use returned neither a Response nor undefined');
    return inner ?? step(index + 1);
  };
  try {
    return await step(0);
  } catch (thrown) {
    if (thrown === told) throw thrown;
    return guarded.explain(asError(thrown), 'Use');
  }
}
