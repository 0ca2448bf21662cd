/** A listener of an abort. */
export interface Abortable {
  abort(reason: unknown): void;
}

/** All that hang on one signal. */
class Group {
  readonly #signal: AbortSignal;
  readonly #members = new Set<Abortable>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(member: Abortable): void {
    if (this.#members.size === 0) this.#signal.addEventListener('abort', this.#fire);
    this.#members.add(member);
  }

  delete(member: Abortable): void {
    if (this.#members.delete(member) && this.#members.size === 0) this.#signal.removeEventListener('abort', this.#fire);
  }

  readonly #fire = (): void => {
    this.#signal.removeEventListener('abort', this.#fire);
    // The set itself, not a copy: one that is told may take others out.
    for (const member of this.#members) {
      this.#members.delete(member);
      member.abort(this.#signal.reason);
    }
  };
}

const groups = new WeakMap<AbortSignal, Group>();

/**
 * Tells `member` when the signal aborts. However many hang on one signal it has one listener, and none when the last has gone: Node 20
 * warns of a leak from the eleventh on. A signal that is aborted already tells nothing: look at it first.
 */
export function watchAbort(signal: AbortSignal, member: Abortable): void {
  let group = groups.get(signal);
  if (!group) groups.set(signal, (group = new Group(signal)));
  group.add(member);
}

export function unwatchAbort(signal: AbortSignal, member: Abortable): void {
  groups.get(signal)?.delete(member);
}

/**
 * Calls `tell` once when the signal aborts, as {@link watchAbort} does.
 * @param signal undefined never aborts
 * @returns what ends the watch
 */
export function onAbort(signal: AbortSignal | undefined, tell: (reason: unknown) => void): () => void {
  if (!signal) return () => {};
  const member: Abortable = { abort: tell };
  watchAbort(signal, member);
  return () => unwatchAbort(signal, member);
}
