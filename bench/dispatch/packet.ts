import { spawn, type SpawnOptions } from '../../src/index.js';
import type { Contender } from '../kit/contender.js';
import type { Call } from './work.js';
import { ReceiptWorker } from './workers/packet.js';

/** One worker behind the public API. */
export function packetWith(options: SpawnOptions, name = 'packet-ts'): Contender<Call> {
  return {
    name,
    start: async () => {
      const worker = await spawn(ReceiptWorker, { logger: false, ...options });
      return { subject: order => worker.receipt(order), stop: () => worker.close() };
    },
  };
}

/** With its default options. */
export const packet = packetWith({});

/** The same worker in a thread. */
export const packetThread = packetWith({ runtime: 'thread' }, 'packet-ts thread');
