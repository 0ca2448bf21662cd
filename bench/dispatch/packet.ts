import { spawn, type SpawnOptions } from '../../src/index.js';
import type { Contender } from '../kit/contender.js';
import type { Call } from './work.js';
import { ReceiptWorker } from './workers/packet.js';

/** One worker process behind the public API. */
export function packetWith(options: SpawnOptions): Contender<Call> {
  return {
    name: 'packet-ts',
    start: async () => {
      const worker = await spawn(ReceiptWorker, { logger: false, ...options });
      return { subject: order => worker.receipt(order), stop: () => worker.close() };
    },
  };
}

/** With its default options. */
export const packet = packetWith({});
