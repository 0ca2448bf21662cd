import { fork } from 'node:child_process';
import { once } from 'node:events';
import { masterCpu, spending } from '../kit/cpu.js';
import { drive } from '../kit/drive.js';
import { startApplication } from './application.js';
import type { ClientAnswered, ClientAsked } from './client.js';

/** What the probe is asked to do, and what it answers: one figure for each measure. */
export interface Asked {
  readonly ms: number;
}
export type Answered = Readonly<Record<string, number>>;

const { call, echo, http } = await startApplication();
const client = fork(new URL('./client.js', import.meta.url));

const SERVED: readonly (readonly [string, Omit<ClientAsked, 'ms'>])[] = [
  ['echo', { port: echo, request: 'a line of some length\n', connections: 50 }],
  ['http', { port: http, request: 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', connections: 50 }],
];

/** Microseconds of this process's main thread for a request of a client that runs elsewhere. */
async function serve(asked: ClientAsked): Promise<{ readonly cpu: number; readonly time: number }> {
  const before = masterCpu();
  client.send(asked);
  const [{ done, ms }] = (await once(client, 'message')) as [ClientAnswered];
  return { cpu: (masterCpu() - before) / done, time: (1000 * ms) / done };
}

process.on('message', ({ ms }: Asked) => {
  void (async () => {
    const answered: Record<string, number> = {};
    for (const inFlight of [1, 16, 64, 1000]) {
      const { result, cpu } = await spending(() => drive(call, inFlight, ms));
      answered[`dispatch ${inFlight}: µs of CPU a call`] = cpu / result.done;
      answered[`dispatch ${inFlight}: µs a call`] = 1e6 / result.rate;
    }
    for (const [name, asked] of SERVED) {
      const { cpu, time } = await serve({ ...asked, ms: 2 * ms });
      answered[`${name}: µs of CPU a request`] = cpu;
      answered[`${name}: µs a request`] = time;
    }
    process.send!(answered);
  })();
});
process.on('disconnect', () => {
  client.disconnect();
  process.exit();
});
process.send!('ready');
