import { fork, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Kind, openLink } from '../../src/wire/index.js';
import type { Contender } from '../kit/contender.js';
import { ended } from '../kit/exit.js';
import { promisesOver, type Response } from './pending.js';
import type { Call, Receipt } from './work.js';

const url = (name: string): URL => new URL(`./workers/${name}.js`, import.meta.url);

function forked(name: string, serialization: 'json' | 'advanced'): Contender<Call> {
  return {
    name,
    start: async () => {
      const child = fork(url('fork'), { serialization });
      const { call, answered } = promisesOver(request => void child.send(request));
      child.on('message', message => answered(message as Response));
      return { subject: call, stop: () => ended(child) };
    },
  };
}

const thread: Contender<Call> = {
  name: 'bare postMessage',
  start: async () => {
    const worker = new Worker(url('thread'));
    const { call, answered } = promisesOver(request => worker.postMessage(request));
    worker.on('message', answered);
    return { subject: call, stop: () => worker.terminate() };
  },
};

const link: Contender<Call> = {
  name: 'bare link',
  start: async () => {
    const child = spawn(process.execPath, [fileURLToPath(url('link'))], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
    // The project's own wire and nothing else: what the pool, the schemas and the mark cost is the difference.
    const { call, answered } = promisesOver(([id, order]) => wire.sendValue(Kind.CALL, id, 0, order));
    const wire = openLink(
      child.stdio[3] as Duplex,
      { onMessage: (_kind, id, _arg, body) => answered([id, body.value() as Receipt]), onClosed: () => {} },
      { maxMessageSize: 16 * 1024 * 1024 },
    );
    return { subject: call, stop: () => ended(child) };
  },
};

/** What Node itself offers, and our wire alone, each with the least code that turns messages into promises. */
export const bare: readonly Contender<Call>[] = [forked('fork json', 'json'), forked('fork advanced', 'advanced'), thread, link];
