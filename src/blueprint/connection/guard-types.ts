import type { UseFunction } from '../../decorators/connection/use-types.js';

/** Functions that stand before what answers requests, in the order in which they are asked. */
export interface Guards {
  readonly cls: readonly UseFunction[];
  readonly methods: ReadonlyMap<PropertyKey, readonly UseFunction[]>;
}
