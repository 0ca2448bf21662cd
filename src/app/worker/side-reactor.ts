import type { Clock } from '../../clock.js';
import { ReactorCore, type Handlers } from '../../reactor/index.js';

/** How long it takes to close, at most. Milliseconds. */
const GRACE = 500;

/** A reactor beside the application's own, which closes behind it: what operates an application is no part of it. */
export class SideReactor {
  readonly #parts: { readonly clock: Clock; readonly handlers: Handlers; readonly app: string };
  #core: ReactorCore | undefined;

  constructor(parts: { readonly clock: Clock; readonly handlers: Handlers; readonly app: string }) {
    this.#parts = parts;
  }

  /** Made when it is asked for first. */
  get core(): ReactorCore {
    return (this.#core ??= new ReactorCore(this.#parts));
  }

  /** Its peers are told of the end, and cut off soon after. Never rejects. */
  async close(): Promise<void> {
    const core = this.#core;
    if (!core) return;
    await core.stopListening();
    await Promise.race([core.drain(GRACE), new Promise<void>(resolve => this.#parts.clock.after(GRACE, resolve))]);
    core.destroy();
  }
}
