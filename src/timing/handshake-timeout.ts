import type { Clock } from '../clock.js';
import { deadline } from '../deadline.js';
import { LimitError } from '../errors.js';

/**
 * Sees a handshake through.
 * @param limit milliseconds; Infinity is off.
 * @param late closes the transport: then the handshake fails.
 * @throws what the handshake fails with.
 */
export async function handshakeWithin(
  clock: Clock,
  limit: number,
  shake: () => Promise<void>,
  late: (error: LimitError) => void,
): Promise<void> {
  const expire = (): void => late(new LimitError('handshakeTimeout', `no handshake within handshakeTimeout (${limit} ms)`));
  const timer = limit === Infinity ? undefined : deadline(clock, limit, expire, true);
  try {
    await shake();
  } finally {
    timer?.cancel();
  }
}
