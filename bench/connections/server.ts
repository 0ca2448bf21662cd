import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Contender } from '../kit/contender.js';
import { ended } from '../kit/exit.js';
import type { SelfReport } from './self-report.js';

/** Dialled at a time: fewer than any listener keeps waiting. */
const AT_ONCE = 100;

/** Its subject starts a server in a process of its own. */
function server(name: string, file: string): Contender<() => Promise<Server>> {
  return { name, start: async () => ({ subject: () => Server.start(file), stop: () => {} }) };
}

export const servers = [server('packet-ts', 'packet'), server('bare net', 'net')];

/** A server in a process of its own, which tells how it is. */
export class Server {
  readonly #child;
  readonly port: number;

  private constructor(child: ReturnType<typeof fork>, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(file: string): Promise<Server> {
    const child = fork(new URL(`./${file}.js`, import.meta.url), { execArgv: ['--expose-gc'] });
    const [port] = (await once(child, 'message')) as [number];
    return new Server(child, port);
  }

  /** @param collected garbage is collected first, which takes processor time of its own */
  async look(collected: boolean): Promise<SelfReport> {
    const answer = once(this.#child, 'message');
    this.#child.send(collected);
    return ((await answer) as [SelfReport])[0];
  }

  /** Once it has so many connections. */
  async until(open: number): Promise<SelfReport> {
    for (;;) {
      const seen = await this.look(false);
      if (seen.open === open) return seen;
      await pause(5);
    }
  }

  stop(): Promise<void> {
    return ended(this.#child);
  }
}

/** Opens connections, each of which is heard once if it is to speak. */
export async function open(port: number, count: number, spoken: boolean): Promise<Socket[]> {
  const sockets: Socket[] = [];
  const lane = async (): Promise<void> => {
    while (sockets.length < count) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      sockets.push(socket);
      await once(socket, 'connect');
      if (!spoken) continue;
      socket.write('hello\n');
      await once(socket, 'data');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return sockets;
}

/** Without a word: a closed connection would keep its port for a minute. */
export function drop(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.resetAndDestroy();
}
