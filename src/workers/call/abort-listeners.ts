/** A listener of an abort. */
export interface Abortable {
  abort(reason: unknown): void;
}

/** The calls that hang on one signal. */
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
    const members = [...this.#members];
    this.#members.clear();
    this.#signal.removeEventListener('abort', this.#fire);
    for (const member of members) member.abort(this.#signal.reason);
  };
}

const groups = new WeakMap<AbortSignal, Group>();

/**
 * Tells `member` when the signal aborts. However many calls hang on one signal it has one listener, and none when the last has settled.
 * A signal that is aborted already tells nothing: look at it first.
 */
export function watchAbort(signal: AbortSignal, member: Abortable): void {
  let group = groups.get(signal);
  if (!group) groups.set(signal, (group = new Group(signal)));
  group.add(member);
}

export function unwatchAbort(signal: AbortSignal, member: Abortable): void {
  groups.get(signal)?.delete(member);
}
