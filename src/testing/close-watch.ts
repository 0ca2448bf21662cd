import diagnostics from 'node:diagnostics_channel';
import type { CloseReason } from '../decorators/hook-types.js';
import type { Events } from '../diagnostics/event-types.js';
import type { Remote } from '../endpoints/index.js';

type Opened = Events['connection.open'];
type Closed = Events['connection.close'];

const OPEN = 'packet-ts:connection.open';
const CLOSE = 'packet-ts:connection.close';

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
      let id = this.#opened.find(({ remote }) => remote === local)?.connection;
      const opened = (details: unknown): void => {
        const { remote, connection } = details as Opened;
        if (remote === local) id = connection;
      };
      const closed = (details: unknown): void => {
        const { connection, by, code, error } = details as Closed;
        if (connection !== id) return;
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
