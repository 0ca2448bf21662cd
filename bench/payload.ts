import { chosen, readOptions } from './kit/options.js';
import { spending } from './kit/cpu.js';
import { report, type Table } from './kit/report.js';
import { runRounds } from './kit/rounds.js';
import { carriers, type Carrier } from './payload/contenders.js';
import { pingBeside, smallBeside } from './payload/neighbours.js';
import { objectOf } from './payload/values.js';

const KB = 1024;
const MB = 1024 * KB;

const TABLES: readonly Table[] = [
  { key: 'cpu', unit: 'µs of CPU a value, user and system, all processes', better: 'less' },
  { key: 'rate', unit: 'MB a second, one value at a time', better: 'more' },
  { key: 'delay', unit: 'ms, the longest that small ones took while 64 MB travelled', better: 'less' },
];

interface Setting {
  readonly name: string;
  readonly bytes: number;
  once(carrier: Carrier): Promise<number>;
}

/** What carries a value there, or brings it back; gives its size. */
function settings(sizes: readonly number[]): Setting[] {
  return sizes.flatMap(bytes => {
    const size = bytes >= MB ? `${bytes / MB} MB` : bytes >= KB ? `${bytes / KB} KB` : `${bytes} B`;
    const buffer = Buffer.alloc(bytes, 7);
    const all: Setting[] = [
      { name: `Buffer ${size} there`, bytes, once: carrier => carrier.takeBytes(buffer) },
      { name: `Buffer ${size} back`, bytes, once: async carrier => (await carrier.giveBytes(bytes)).length },
    ];
    // Objects of 64 MB take seconds to be made, by whomever.
    if (bytes > 4 * MB) return all;
    const rows = objectOf(bytes);
    const checked = (length: number): number => (length === rows.length ? bytes : 0);
    all.push(
      { name: `objects ${size} there`, bytes, once: async carrier => checked(await carrier.takeRows(rows)) },
      { name: `objects ${size} back`, bytes, once: async carrier => checked((await carrier.giveRows(bytes)).length) },
    );
    return all;
  });
}

/** One value after the other, for so many milliseconds. */
async function carried(carrier: Carrier, setting: Setting, ms: number): Promise<{ rate: number; done: number }> {
  const begin = performance.now();
  let done = 0;
  let took = 0;
  do {
    const size = await setting.once(carrier);
    if (size !== setting.bytes) throw new Error(`${setting.name}: ${size} bytes`);
    done += 1;
    took = performance.now() - begin;
  } while (took < ms);
  return { rate: (setting.bytes * done) / MB / (took / 1000), done };
}

/** Values of 64 B to 64 MB both ways, and what a large one does to small ones beside it. `--at 65536` for one size. */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 7, ms: 150 });
  const sizes = [64, 64 * KB, 1 * MB, 64 * MB].filter(bytes => options.at?.includes(bytes) ?? true);
  const rates = await runRounds(chosen(carriers, options), settings(sizes), options.rounds, async (carrier, setting, warmUp) => {
    const { result, cpu } = await spending(() => carried(carrier, setting, warmUp ? 100 : options.ms));
    return { ...result, cpu: cpu / result.done };
  });
  const delays = await runRounds([smallBeside, pingBeside], [{ name: '64 MB' }], options.rounds, async delay => ({ delay: await delay() }));
  report('payload', TABLES, new Map([...rates, ...delays]));
}
