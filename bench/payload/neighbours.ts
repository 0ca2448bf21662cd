import { spawn as spawnProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { spawn } from '../../src/index.js';
import { Kind, openLink } from '../../src/wire/index.js';
import type { Contender } from '../kit/contender.js';
import { ended } from '../kit/exit.js';
import { PayloadWorker } from './worker.js';

const LARGE = 64 * 1024 * 1024;

/** Asks again and again until `over`; the longest that an answer took, in milliseconds. */
async function longest(ask: () => Promise<unknown>, over: Promise<unknown>): Promise<number> {
  let going = true;
  const stop = (): void => void (going = false);
  over.then(stop, stop);
  let most = 0;
  while (going) {
    const begin = performance.now();
    await ask();
    most = Math.max(most, performance.now() - begin);
    await new Promise(resolve => void setImmediate(resolve));
  }
  await over;
  return most;
}

/** Calls to the worker whose 64 MB answer is on its way back. */
export const smallBeside: Contender<() => Promise<number>> = {
  name: 'calls beside an answer',
  start: async () => {
    const worker = await spawn(PayloadWorker, { logger: false });
    const once = (): Promise<number> => longest(() => worker.small(1), worker.giveBytes(LARGE));
    await once();
    return { subject: once, stop: () => worker.close() };
  },
};

/** Pings over a link on which 64 MB go the same way: calls keep their order among each other, pings go past. */
export const pingBeside: Contender<() => Promise<number>> = {
  name: 'pings beside an input',
  start: async () => {
    const script = fileURLToPath(new URL('./ponging.js', import.meta.url));
    const child = spawnProcess(process.execPath, [script], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
    let ponged: (() => void) | undefined;
    let arrived: (() => void) | undefined;
    const link = openLink(
      child.stdio[3] as Duplex,
      { onMessage: kind => (kind === Kind.PONG ? ponged?.() : arrived?.()), onClosed: () => {} },
      { maxMessageSize: 2 * LARGE },
    );
    const value = Buffer.alloc(LARGE, 7);
    let nonce = 0;
    const ping = (): Promise<void> =>
      new Promise(resolve => {
        ponged = resolve;
        link.send(Kind.PING, 0, ++nonce);
      });
    const once = (): Promise<number> => {
      const over = new Promise<void>(resolve => (arrived = resolve));
      link.sendValue(Kind.CALL, 1, 0, value);
      return longest(ping, over);
    };
    await once();
    return { subject: once, stop: () => ended(child) };
  },
};
