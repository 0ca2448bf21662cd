/**
 * Joins the caller's stack to an error made in another process, or in a timer. That part is found only now, when the call fails,
 * so that calls that succeed pay nothing for it: resolving the call's promise with an async function's makes that function part of the
 * awaiting chain, and V8 then shows its frames (`at async …`). Two turns of the microtask queue are needed until the chain is tied.
 */
export async function rejectJoined(failure: Error, place: string | undefined): Promise<never> {
  await Promise.resolve();
  await Promise.resolve();
  join(failure, place, waitingHere(new Error()));
  throw failure;
}

/** Marks a rejection that is read later as handled. */
export function quietly(rejection: Promise<never>): void {
  rejection.catch(() => {});
}

/** The awaiting frames: the others are this function and the machinery that woke it. */
function waitingHere({ stack }: Error): string[] {
  return typeof stack === 'string' ? stack.split('\n').filter(line => line.startsWith('    at async ')) : [];
}

/** Whose stack is joined already: an error passed on through several calls keeps growing by its askers, but not by the same twice. */
function join(error: Error, place: string | undefined, callers: readonly string[]): void {
  const stack = typeof error.stack === 'string' ? error.stack : `${error.name}: ${error.message}`;
  const added = [...(place === undefined ? [] : [`    at ${place}`]), ...callers.filter(line => !stack.includes(line))];
  if (added.length === 0) return;
  try {
    Object.defineProperty(error, 'stack', { value: [stack, ...added].join('\n'), configurable: true, writable: true });
  } catch {
    // A frozen error keeps the stack it has.
  }
}
