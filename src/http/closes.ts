import type { ServerResponse } from 'node:http';
import { failing, guardThis } from '../guard.js';

/** The owner of a response: told once, when it has closed. */
export interface ResponseOwner {
  /** The answer is sent, or the client is gone. */
  onClosed(): void;
  /** `onClosed()` threw. */
  onCloseFailed(): void;
}

const OWNER = Symbol('owner of a response');
/** A response with its owner: the same listener serves all responses. */
interface Owned extends ServerResponse {
  [OWNER]?: ResponseOwner;
}

const onClose = guardThis(
  (response: Owned) => failing(() => response[OWNER]?.onCloseFailed()),
  function (this: Owned) {
    this[OWNER]?.onClosed();
  },
);

/** Calls `onClosed()` of a response's owner when the response closes. */
export function whenClosed(response: ServerResponse, owner: ResponseOwner): void {
  const owned: Owned = response;
  owned[OWNER] = owner;
  owned.on('close', onClose);
}
