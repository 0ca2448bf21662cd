import { once } from 'node:events';
import type { Socket } from 'node:net';
import { drop, open, servers } from './connections/server.js';
import { chosen, readOptions } from './kit/options.js';
import { report, type Table } from './kit/report.js';
import { runRounds } from './kit/rounds.js';
import { costInBursts, costOfPassing, packet, queues } from './scale/queue.js';

const TABLES: readonly Table[] = [
  { key: 'call', unit: 'µs of the master’s main thread a call, so many made at once', better: 'less' },
  { key: 'passing', unit: 'µs of the master’s main thread a call, while so many of another caller wait', better: 'less' },
  { key: 'message', unit: 'µs of the server’s processor time a line echoed, so many connections open', better: 'less' },
];

/** Lines echoed in one measurement, whatever the number of connections. */
const LINES = 15_000;
/** Lines under way at a time. */
const AT_ONCE = 50;

/** Whether a call costs more when a million wait, and a line when thousands of connections are open. */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 7, ms: 200 });
  const wanted = (all: readonly number[]): readonly number[] => all.filter(count => options.at?.includes(count) ?? true);
  const waiting = wanted([100, 10_000, 1_000_000]).map(calls => ({ name: `${calls} waiting`, calls }));
  const calls = await runRounds(chosen(queues, options), waiting, options.rounds, async (call, { calls: count }, warmUp) => ({
    call: await costInBursts(call, warmUp ? Math.min(count, 10_000) : count, warmUp ? 300 : options.ms),
  }));
  const passing = await runRounds([packet], waiting, options.rounds, async (call, { calls: count }, warmUp) => ({
    passing: await costOfPassing(call, warmUp ? 100 : count, warmUp ? 300 : options.ms),
  }));
  const crowds = wanted([100, 1000, 15_000]).map(count => ({ name: `${count} open`, count }));
  const messages = await runRounds(chosen(servers, options), crowds, Math.min(options.rounds, 7), async (start, { count }, warmUp) => {
    if (warmUp) return {};
    const running = await start();
    try {
      const sockets = await open(running.port, count, true);
      await running.until(count);
      await echo(sockets, LINES);
      const before = await running.look(false);
      await echo(sockets, LINES);
      const after = await running.look(false);
      drop(sockets);
      return { message: (after.cpu - before.cpu) / LINES };
    } finally {
      await running.stop();
    }
  });
  report('scale', TABLES, new Map([...calls, ...passing, ...messages]));
}

/** So many lines, each over the next connection. */
async function echo(sockets: readonly Socket[], lines: number): Promise<void> {
  let said = 0;
  const lane = async (): Promise<void> => {
    while (said < lines) {
      const socket = sockets[said++ % sockets.length]!;
      socket.write('hello\n');
      await once(socket, 'data');
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, sockets.length) }, lane));
}
