import type { RemoteMeta } from '../../wire/link/protocol.js';
import { carrierOf } from './call-tracing.js';
import type { Call } from './call.js';

/** Whether a call carries anything besides its input that the other machine's pool must know. */
export function needsRemoteMeta(call: Call): boolean {
  const { options, parent, attempt, hard, target } = call;
  if (carrierOf(call) !== undefined) return true;
  return options?.affinity !== undefined || parent !== undefined || attempt > 1 || hard !== target.hard;
}

/**
 * The metadata that another machine gets with a call.
 * @param deadline in milliseconds since the epoch of this machine's clock
 */
export function remoteMetaOf(call: Call, deadline: number | undefined, epoch: number): RemoteMeta {
  return {
    caller: call.owner.caller,
    remaining: deadline === undefined ? undefined : Math.max(0, deadline - epoch),
    attempt: call.attempt,
    timeout: call.hard === call.target.hard ? undefined : call.hard,
    affinity: call.options?.affinity,
    carrier: carrierOf(call),
  };
}
