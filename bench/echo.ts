import { redisBenchmark } from './echo/redis-benchmark.js';
import { others, packetEcho } from './echo/servers.js';
import { chosen, readOptions } from './kit/options.js';
import { report, type Table } from './kit/report.js';
import { runRounds } from './kit/rounds.js';

/** Requests that take about as long at either depth: deep pipelines are an order of magnitude faster. */
const SETTINGS = [
  { name: '1 pipelined', pipeline: 1, requestsPerSecond: 100_000 },
  { name: '16 pipelined', pipeline: 16, requestsPerSecond: 800_000 },
];

const TABLES: readonly Table[] = [
  { key: 'cpu', unit: 'µs of the server’s CPU a request, user and system', better: 'less' },
  { key: 'rate', unit: 'requests a second', better: 'more' },
];

/** Lines echoed a second to 50 connections, asked by redis-benchmark: a decorated class against bare `net` and EventMachine. */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 7, ms: 1000 });
  const contenders = chosen([packetEcho(), ...others()], options);
  const settings = SETTINGS.filter(({ pipeline }) => options.at?.includes(pipeline) ?? true);
  const figures = await runRounds(contenders, settings, options.rounds, async ({ port, cpu }, { pipeline, requestsPerSecond }, warmUp) => {
    const requests = Math.round((requestsPerSecond * (warmUp ? 200 : options.ms)) / 1000);
    const before = cpu();
    const rate = await redisBenchmark(port, requests, pipeline);
    const after = cpu();
    return { rate, ...(before === undefined || after === undefined ? {} : { cpu: (after - before) / requests }) };
  });
  report('echo', TABLES, figures);
}
