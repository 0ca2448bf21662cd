import type { App } from '../app/app.js';
import { UsageError } from '../errors.js';

/** Something that observes an application until it ends. */
export interface Observing extends Disposable {
  end(): void;
}

/** Observers of one kind, at most one for each application: what is asked for twice is not counted twice. */
export class OnePerApp {
  readonly #what: string;
  readonly #running = new WeakMap<App, { readonly provider: object; readonly observing: Observing }>();

  /** `what` is the function that users call. */
  constructor(what: string) {
    this.#what = what;
  }

  /**
   * Begins to observe, or gives what does already; `begin` returns the end of it. It ends with the application.
   * @throws UsageError where the application is observed for another provider.
   */
  observe(app: App, provider: object, begin: () => () => void): Observing {
    const known = this.#running.get(app);
    if (known && known.provider !== provider)
      throw new UsageError(`${this.#what}: this application has another provider already: call end() of what was returned for it first`);
    if (known) return known.observing;
    const stop = begin();
    const end = (): void => {
      if (this.#running.get(app)?.observing !== observing) return;
      this.#running.delete(app);
      stop();
    };
    const observing: Observing = { end, [Symbol.dispose]: end };
    this.#running.set(app, { provider, observing });
    app.closed.then(end, end);
    return observing;
  }
}
