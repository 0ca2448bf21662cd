import type { ConnectionParts } from './connection-parts.js';
import type { ConnectionState } from './lifecycle.js';

/** One connection, as its time limits, its pipes, STARTTLS and hand-off see it. */
export interface LiveConnection extends ConnectionParts {
  readonly state: ConnectionState;
}
