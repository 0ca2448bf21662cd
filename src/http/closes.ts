import type { ServerResponse } from 'node:http';
import { failing, guardThis } from '../guard.js';

/** Has an end: its response closes. */
export interface Closes {
  /** The answer is sent, or the client is gone. */
  closed(): void;
  /** Called where `closed()` threw. */
  failedToClose(): void;
}

const OWNER = Symbol('owner of a response');
/** A response that knows whose it is: the same listener serves all. */
interface Owned extends ServerResponse {
  [OWNER]?: Closes;
}

const onClose = guardThis(
  (response: Owned) => failing(() => response[OWNER]?.failedToClose()),
  function (this: Owned) {
    this[OWNER]?.closed();
  },
);

/** Calls `closed()` of a response's owner when the response closes. */
export function whenClosed(response: ServerResponse, owner: Closes): void {
  const owned: Owned = response;
  owned[OWNER] = owner;
  owned.on('close', onClose);
}
