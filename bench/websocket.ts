import { chosen, readOptions } from './kit/options.js';
import { report, type Table } from './kit/report.js';
import { runRounds } from './kit/rounds.js';
import { server } from './kit/server.js';
import { Asker } from './websocket/client.js';

const file = (name: string): URL => new URL(`./websocket/servers/${name}.js`, import.meta.url);
const CONTENDERS = [server('packet-ts', file('packet')), server('bare ws', file('ws'))];
const CONNECTIONS = 50;

const SETTINGS = [
  { name: '1 pipelined', pipeline: 1 },
  { name: '16 pipelined', pipeline: 16 },
];

const TABLES: readonly Table[] = [
  { key: 'cpu', unit: 'µs of the server’s CPU a message, user and system', better: 'less' },
  { key: 'rate', unit: 'messages a second', better: 'more' },
];

/** Text messages echoed to 50 connections, whose client writes frames by hand: a decorated class against bare `ws`. */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 9, ms: 1000 });
  const settings = SETTINGS.filter(({ pipeline }) => options.at?.includes(pipeline) ?? true);
  const figures = await runRounds(chosen(CONTENDERS, options), settings, options.rounds, async ({ port, cpu }, { pipeline }, warmUp) => {
    const askers = await Promise.all(Array.from({ length: CONNECTIONS }, () => Asker.connect(port)));
    const before = cpu();
    const begin = performance.now();
    const end = begin + (warmUp ? 500 : options.ms);
    let done = 0;
    const lane = async (asker: Asker): Promise<void> => {
      while (performance.now() < end) {
        await asker.ask(pipeline);
        done += pipeline;
      }
    };
    await Promise.all(askers.map(lane));
    const rate = (done * 1000) / (performance.now() - begin);
    const after = cpu();
    for (const asker of askers) asker.close();
    return { rate, ...(before === undefined || after === undefined ? {} : { cpu: (after - before) / done }) };
  });
  report('websocket', TABLES, figures);
}
