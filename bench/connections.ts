import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { SelfReport } from './connections/self-report.js';
import type { Contender } from './kit/contender.js';
import { ended } from './kit/exit.js';
import { chosen, readOptions } from './kit/options.js';
import { report, type Table } from './kit/report.js';
import { runRounds } from './kit/rounds.js';

/** Connections that the server has had and lost before it is measured: its code is compiled, its heap has grown. */
const WARM_UP = 500;
/** Dialled at a time: fewer than any listener keeps waiting. */
const AT_ONCE = 100;

const TABLES: readonly Table[] = [
  { key: 'bytes', unit: 'bytes of resident memory a connection', better: 'less' },
  { key: 'accepted', unit: 'connections accepted a second', better: 'more' },
  { key: 'cpu', unit: 'µs of the server’s processor time to accept one', better: 'less' },
];

/** Its subject starts a server in a process of its own. */
function server(name: string, file: string): Contender<() => Promise<Server>> {
  return { name, start: async () => ({ subject: () => Server.start(file), stop: () => {} }) };
}

class Server {
  readonly #child;
  readonly port: number;

  private constructor(child: ReturnType<typeof fork>, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(file: string): Promise<Server> {
    const child = fork(new URL(`./connections/${file}.js`, import.meta.url), { execArgv: ['--expose-gc'] });
    const [port] = (await once(child, 'message')) as [number];
    return new Server(child, port);
  }

  async look(): Promise<SelfReport> {
    const answer = once(this.#child, 'message');
    this.#child.send('look');
    return ((await answer) as [SelfReport])[0];
  }

  async until(open: number): Promise<SelfReport> {
    for (;;) {
      const seen = await this.look();
      if (seen.open === open) return seen;
      await pause(5);
    }
  }

  stop(): Promise<void> {
    return ended(this.#child);
  }
}

/** Opens connections, each of which is heard once if it is to speak. */
async function open(port: number, count: number, spoken: boolean): Promise<Socket[]> {
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
function drop(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.resetAndDestroy();
}

/** What 10 000 idle connections cost, and how fast they come in; `--at` for another number of them. */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 7, ms: 0 });
  const contenders = chosen([server('packet-ts', 'packet'), server('bare net', 'net')], options);
  const settings = (options.at ?? [10_000]).flatMap(count => [
    { name: `${count} that never spoke`, count, spoken: false },
    { name: `${count} that spoke once`, count, spoken: true },
  ]);
  const figures = await runRounds(contenders, settings, options.rounds, async (start, { count, spoken }, warmUp) => {
    if (warmUp) return {};
    const running = await start();
    try {
      drop(await open(running.port, WARM_UP, spoken));
      const before = await running.until(0);
      const begin = performance.now();
      const sockets = await open(running.port, count, spoken);
      const after = await running.until(count);
      const seconds = (performance.now() - begin) / 1000;
      const settled = await running.look();
      drop(sockets);
      return { bytes: (settled.rss - before.rss) / count, accepted: count / seconds, cpu: (after.cpu - before.cpu) / count };
    } finally {
      await running.stop();
    }
  });
  report('connections', TABLES, figures);
}
