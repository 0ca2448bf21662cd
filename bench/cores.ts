import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { redisBenchmark } from './echo/redis-benchmark.js';
import type { Contender, Running } from './kit/contender.js';
import { readOptions } from './kit/options.js';
import { report } from './kit/report.js';
import { runRounds } from './kit/rounds.js';
import { server, type Serving } from './kit/server.js';

const FILE = new URL('./cores/server.js', import.meta.url);
const MODES = [
  { name: "accept: 'master'", mode: 'master' },
  { name: "accept: 'shared'", mode: 'shared' },
] as const;

type Mode = (typeof MODES)[number]['mode'];

/** Hashes that take a millisecond of this machine's processor. */
function roundsPerMillisecond(): number {
  let hash = Buffer.alloc(32);
  const hashes = 100_000;
  // The first ones are slower.
  for (let i = 0; i < hashes / 10; i++) hash = createHash('sha256').update(hash).digest();
  const { user, system } = process.cpuUsage();
  for (let i = 0; i < hashes; i++) hash = createHash('sha256').update(hash).digest();
  const spent = process.cpuUsage({ user, system });
  return Math.round((hashes * 1000) / (spent.user + spent.system));
}

function reactors(processes: number, rounds: number): Contender<Record<Mode, Serving>> {
  return {
    name: processes === 1 ? '1 process' : `${processes} processes`,
    start: async () => {
      const running: Running<Serving>[] = [];
      for (const { mode } of MODES) {
        const env = { BENCH_CORES: `${mode} ${processes} ${rounds}` };
        running.push(await server(mode, FILE, { env }).start());
      }
      const [master, shared] = running.map(({ subject }) => subject) as [Serving, Serving];
      return { subject: { master, shared }, stop: async () => void (await Promise.all(running.map(({ stop }) => stop()))) };
    },
  };
}

/** Milliseconds of processor that programs started here have had, once they are over; NaN where the system does not tell. */
function clientCpu(): number {
  try {
    const fields = readFileSync('/proc/self/stat', 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    // Ticks of 10 ms, user and system, of children that were waited for.
    return (Number(fields[13]) + Number(fields[14])) * 10;
  } catch {
    return NaN;
  }
}

/**
 * Lines answered a second by handlers that each need a millisecond of processor, in two reactor processes and in one, asked by
 * redis-benchmark on 50 connections; and what share of one processor the client had meanwhile.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 7, ms: 1000 });
  const rounds = roundsPerMillisecond();
  const figures = await runRounds([reactors(2, rounds), reactors(1, rounds)], MODES, options.rounds, async (servers, { mode }, warmUp) => {
    const [before, began] = [clientCpu(), performance.now()];
    // One process answers somewhat less than a thousand a second.
    const rate = await redisBenchmark(servers[mode].port, warmUp ? 300 : options.ms, 1);
    return { rate, client: (100 * (clientCpu() - before)) / (performance.now() - began) };
  });
  report(
    'cores',
    [
      { key: 'rate', unit: 'requests a second', better: 'more' },
      { key: 'client', unit: '% of a processor for the client', better: 'less' },
    ],
    figures,
  );
}
