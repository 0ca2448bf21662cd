import type * as Packet from '../../src/index.js';
import { spending } from '../kit/cpu.js';
import { drive } from '../kit/drive.js';

/** What the probe is asked to do, and what it answers: one figure for each measure. */
export interface Asked {
  readonly ms: number;
}
export type Answered = Readonly<Record<string, number>>;

const { spawn } = (await import(`${process.env['CHECKOUT']!}/dist/src/index.js`)) as typeof Packet;
const { CheckWorker } = await import('./worker.js');

interface Client {
  receipt(order: object): Promise<{ readonly total: number }>;
  close(): Promise<unknown>;
}

const worker = (await spawn(CheckWorker, { logger: false } as never)) as unknown as Client;
const once = async (): Promise<void> => {
  const { total } = await worker.receipt({ id: 1, name: 'teapot', amount: 12.5 });
  if (total !== 25) throw new Error(`a wrong answer: ${total}`);
};

process.on('message', ({ ms }: Asked) => {
  void (async () => {
    const answered: Record<string, number> = {};
    for (const inFlight of [1, 16, 64, 1000]) {
      const { result, cpu } = await spending(() => drive(once, inFlight, ms));
      answered[`dispatch ${inFlight}: µs of CPU a call`] = cpu / result.done;
      answered[`dispatch ${inFlight}: µs a call`] = 1e6 / result.rate;
    }
    process.send!(answered);
  })();
});
process.on('disconnect', () => process.exit());
process.send!('ready');
