import { spawn as spawnProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { spawn } from '../../src/index.js';
import type { Contender } from '../kit/contender.js';
import { ended } from '../kit/exit.js';
import { Messages, numbered } from './socketpair.js';
import type { Row } from './values.js';
import { PayloadWorker } from './worker.js';

/** One call each; they give what shows that the value was there. */
export interface Carrier {
  takeBytes(value: Uint8Array): Promise<number>;
  giveBytes(length: number): Promise<Uint8Array>;
  takeRows(rows: Row[]): Promise<number>;
  giveRows(bytes: number): Promise<readonly Row[]>;
}

const packet: Contender<Carrier> = {
  name: 'packet-ts',
  start: async () => {
    const worker = await spawn(PayloadWorker, { logger: false });
    return { subject: worker, stop: () => worker.close() };
  },
};

const thread: Contender<Carrier> = {
  name: 'packet-ts thread',
  start: async () => {
    const worker = await spawn(PayloadWorker, { runtime: 'thread', logger: false });
    return { subject: worker, stop: () => worker.close() };
  },
};

const socketpair: Contender<Carrier> = {
  name: 'bare socketpair',
  start: async () => {
    const script = fileURLToPath(new URL('./child.js', import.meta.url));
    const child = spawnProcess(process.execPath, [script], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
    let answered!: (body: Buffer) => void;
    const messages = new Messages(child.stdio[3] as Duplex, (_kind, body) => answered(body));
    const ask = (kind: number, body: Uint8Array): Promise<Buffer> =>
      new Promise(resolve => {
        answered = resolve;
        messages.send(kind, body);
      });
    return {
      subject: {
        takeBytes: async value => (await ask(0, value)).readUInt32LE(0),
        giveBytes: async length => ask(1, numbered(length)),
        takeRows: async rows => (await ask(2, Buffer.from(JSON.stringify(rows)))).readUInt32LE(0),
        giveRows: async bytes => JSON.parse((await ask(3, numbered(bytes))).toString()) as Row[],
      },
      stop: () => ended(child),
    };
  },
};

export const carriers = [packet, thread, socketpair];
