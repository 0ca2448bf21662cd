import diagnostics from 'node:diagnostics_channel';
import type { CloseReason } from '../decorators/hook-types.js';
import type { Remote } from '../endpoints/index.js';

const OPEN = 'packet-ts:connection.open';
const CLOSE = 'packet-ts:connection.close';

interface Opened {
  readonly id: string;
  readonly remote: Remote;
}

/** Finds out how a handler sees the end of a connection that is about to be made over memory. Make it before connecting. */
export class CloseWatch {
  /** Connections that opened while a client was connecting. */
  readonly #opened: Opened[] = [];
  readonly #note = (details: unknown): void => void this.#opened.push(details as Opened);

  constructor() {
    diagnostics.subscribe(OPEN, this.#note);
  }

  /** Resolves with the reason when the handler of this connection has seen it. `local`: the connecting end's own address object. */
  closeOf(local: Remote): Promise<CloseReason> {
    diagnostics.unsubscribe(OPEN, this.#note);
    return new Promise(resolve => {
      let id = this.#opened.find(({ remote }) => remote === local)?.id;
      const opened = (details: unknown): void => {
        if ((details as Opened).remote === local) id = (details as Opened).id;
      };
      const closed = (details: unknown): void => {
        const { id: which, by, code, error } = details as CloseReason & { readonly id: string };
        if (which !== id) return;
        diagnostics.unsubscribe(OPEN, opened);
        diagnostics.unsubscribe(CLOSE, closed);
        resolve({ by, code, ...(error && { error }) });
      };
      diagnostics.subscribe(OPEN, opened);
      diagnostics.subscribe(CLOSE, closed);
    });
  }

  /** Nothing was connected after all. */
  cancel(): void {
    diagnostics.unsubscribe(OPEN, this.#note);
  }
}
