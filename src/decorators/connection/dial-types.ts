import type { PerEndpoint, Reconnect } from './endpoint-types.js';
import type { DataOf } from './peer-types.js';

// oxlint-disable-next-line typescript/no-explicit-any -- the framing's types belong to the handler class
type DialBase = Omit<PerEndpoint<any, any>, 'reconnect'> & { signal?: AbortSignal | undefined };

/** The options of `reactor.connect`: with `data`, where the handler's `Peer<In, Out, Data>` declares it. */
export type ConnectArgs<C, Extra = unknown> = [DataOf<C>] extends [never]
  ? [options?: DialBase & Extra & { data?: never }]
  : // oxlint-disable-next-line typescript/no-empty-object-type -- "has no required field"
    {} extends DataOf<C>
    ? [options?: DialBase & Extra & { data?: DataOf<C> }]
    : [options: DialBase & Extra & { data: DataOf<C> }];

/** The options of `reactor.dial`. */
export type DialArgs<C> = ConnectArgs<C, { reconnect?: Reconnect | undefined }>;
