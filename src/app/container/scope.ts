import { realClock, type Clock } from '../../clock.js';
import type { Owner } from '../../workers/call/owner.js';

type Disposer = () => unknown;

/** How long one of them may take, in milliseconds. */
const PATIENCE = 5_000;

/** Waits for it, but not for ever. Rejects when it does, or when it takes too long. */
async function inTime(work: unknown, clock: Clock): Promise<void> {
  if (typeof work !== 'object' || work === null) return;
  let cancel = (): void => {};
  const late = new Promise<never>((_resolve, reject) => {
    const timer = clock.after(PATIENCE, () =>
      reject(new Error(`dispose() has not finished within ${PATIENCE} ms: it is waited for no longer`)),
    );
    cancel = () => timer.cancel();
  });
  try {
    await Promise.race([work, late]);
  } finally {
    cancel();
  }
}

/** How a value wants to be disposed of, if it does. */
function disposerOf(value: unknown): Disposer | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const candidate = value as Record<PropertyKey, unknown>;
  // On runtimes without these symbols the key is undefined: no object has a property of that name by accident.
  for (const key of [Symbol.asyncDispose, Symbol.dispose, 'dispose'] as const) {
    const method = key === undefined ? undefined : candidate[key];
    if (typeof method === 'function') return () => (method as Disposer).call(value);
  }
  return undefined;
}

/**
 * Objects that live and end together: the application's, or one connection's.
 * Holds the instances that were made for it and disposes of them in reverse order, each isolated from the others' failures.
 */
export class Scope {
  /** The connection; undefined in the application's own scope. */
  readonly peer: unknown;
  /** Owner of the calls of worker clients made in this scope. */
  readonly owner: Owner;
  /** Instances by slot number; the plan counts the slots. Written and read by makers only. */
  readonly slots: unknown[] = [];
  #disposers: Disposer[] | undefined;

  constructor(owner: Owner, peer?: unknown) {
    this.owner = owner;
    this.peer = peer;
  }

  /** Remembers how to dispose of what was just made here. */
  keep(value: unknown): void {
    const disposer = disposerOf(value);
    if (disposer) this.onDispose(disposer);
  }

  /** Something ends with this scope although it is no instance of it: a subscription, for instance. */
  onDispose(disposer: Disposer): void {
    (this.#disposers ??= []).push(disposer);
  }

  get disposable(): boolean {
    return this.#disposers !== undefined;
  }

  /** Disposes of everything, last made first; `failed` hears of each that fails or does not finish in time, and the rest goes on. */
  async dispose(failed: (error: unknown) => void, clock: Clock = realClock): Promise<void> {
    const disposers = this.#disposers ?? [];
    this.#disposers = undefined;
    for (const disposer of disposers.reverse()) {
      try {
        await inTime(disposer(), clock);
      } catch (error) {
        failed(error);
      }
    }
  }
}
