import { drop, open, servers } from './connections/server.js';
import { chosen, readOptions } from './kit/options.js';
import { report, type Table } from './kit/report.js';
import { runRounds } from './kit/rounds.js';

/** Connections that the server has had and lost before it is measured: its code is compiled, its heap has grown. */
const WARM_UP = 500;

const TABLES: readonly Table[] = [
  { key: 'bytes', unit: 'bytes of resident memory a connection', better: 'less' },
  { key: 'accepted', unit: 'connections accepted a second', better: 'more' },
  { key: 'cpu', unit: 'µs of the server’s processor time to accept one', better: 'less' },
];

/** What 10 000 idle connections cost, and how fast they come in; `--at` for another number of them. */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 7, ms: 0 });
  const contenders = chosen(servers, options);
  const settings = (options.at ?? [10_000]).flatMap(count => [
    { name: `${count} that never spoke`, count, spoken: false },
    { name: `${count} that spoke once`, count, spoken: true },
  ]);
  const figures = await runRounds(contenders, settings, options.rounds, async (start, { count, spoken }, warmUp) => {
    if (warmUp) return {};
    const running = await start();
    try {
      drop(await open(running.port, WARM_UP, spoken));
      await running.until(0);
      const before = await running.look(true);
      const begin = performance.now();
      const sockets = await open(running.port, count, spoken);
      const after = await running.until(count);
      const seconds = (performance.now() - begin) / 1000;
      const settled = await running.look(true);
      drop(sockets);
      return { bytes: (settled.rss - before.rss) / count, accepted: count / seconds, cpu: (after.cpu - before.cpu) / count };
    } finally {
      await running.stop();
    }
  });
  report('connections', TABLES, figures);
}
