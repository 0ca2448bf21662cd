import { outsideOfCallers } from '../async-context.js';
import type { WorkersEvents } from '../decorators/worker/worker-types.js';
import { publish } from '../diagnostics.js';
import { asError, UsageError } from '../errors.js';

type Name = keyof WorkersEvents;
type Listener<N extends Name> = (...args: WorkersEvents[N]) => unknown;

const NAMES: Readonly<Record<Name, true>> = { start: true, ready: true, exit: true, restart: true, gaveUp: true, message: true };
const EVENTS = Object.keys(NAMES)
  .map(name => `'${name}'`)
  .join(', ');

/** Delivers the events of workers to their listeners. An error thrown by a listener goes no further. */
export class Announcer {
  readonly #app: string;
  readonly #listeners = new Map<Name, Set<Listener<never>>>();

  /** @param app the application, for events */
  constructor(app = '') {
    this.#app = app;
  }

  /** @throws UsageError for an event that there is not, or what is no function. */
  on<N extends Name>(event: N, listener: Listener<N>): Disposable {
    if (!Object.hasOwn(NAMES, event)) throw new UsageError(`workers tell no '${event}': write ${EVENTS}`);
    if (typeof listener !== 'function')
      throw new UsageError(`workers.on('${event}') takes a function that is told, not ${String(listener)}`);
    let listeners = this.#listeners.get(event);
    if (!listeners) this.#listeners.set(event, (listeners = new Set()));
    // One function may be given twice; each is ended by itself.
    const own: Listener<N> = (...args) => listener(...args);
    listeners.add(own);
    return { [Symbol.dispose]: () => void listeners.delete(own) };
  }

  hasListeners(event: Name): boolean {
    return (this.#listeners.get(event)?.size ?? 0) > 0;
  }

  /** The promise of those that take their time; undefined when all are done. It never rejects. */
  emit<N extends Name>(event: N, ...args: WorkersEvents[N]): Promise<unknown> | undefined {
    const slow: Promise<unknown>[] = [];
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        // A set holds only listeners of its own event.
        const result = outsideOfCallers(() => (listener as Listener<N>)(...args));
        if (result instanceof Promise) slow.push(result.catch((error: unknown) => this.#failed(event, error)));
      } catch (error) {
        this.#failed(event, error);
      }
    }
    return slow.length === 0 ? undefined : Promise.all(slow);
  }

  #failed(event: Name, error: unknown): void {
    publish('hook.error', { app: this.#app, hook: `workers.on('${event}')`, error: asError(error) });
  }
}
