import type { Clock } from '../clock.js';
import type { Transport } from '../endpoints/endpoint.js';
import { LimitError } from '../errors.js';

/**
 * Sees a handshake through.
 * @param limit milliseconds; Infinity is off.
 * @throws LimitError when it takes longer, else what it fails with. The transport is closed then.
 */
export async function shaken(clock: Clock, limit: number, transport: Transport, shake: () => Promise<void>): Promise<void> {
  const late = new LimitError('handshakeTimeout', `no handshake within handshakeTimeout (${limit} ms)`);
  const timer = limit === Infinity ? undefined : clock.after(limit, () => transport.destroy(late), true);
  try {
    await shake();
  } finally {
    timer?.cancel();
  }
}
