/**
 * Fuzzes http and websocket servers for hours: rounds of ten minutes, each with a process and a seed of its own. It ends with the first
 * round that fails, whose seed it prints, or when the time is over.
 * @example npm run fuzz 8h · npm run fuzz 10m http · PACKET_SEED=123 npm run fuzz 1m websocket
 */
import { Fuzz, type FuzzOptions } from '../spec/kit/fuzz/run.js';
import { seedOfRun } from '../spec/kit/random.js';
import { toMilliseconds, type Duration } from '../src/units.js';

const ROUND = 600_000;
const [time = '1h', kind] = process.argv.slice(2);
const kinds: readonly FuzzOptions['kind'][] = kind === 'http' || kind === 'websocket' ? [kind] : ['http', 'websocket'];
// Checked by toMilliseconds, which throws for anything else.
const end = performance.now() + toMilliseconds(time as Duration);
let seed = seedOfRun();
for (let round = 1; performance.now() < end; round++) {
  for (const each of kinds) {
    const duration = Math.max(1_000, Math.min(ROUND, (end - performance.now()) / kinds.length));
    const fuzz = new Fuzz({ kind: each, seed, duration });
    await fuzz.run();
    console.log(`round ${round}, ${each}, seed ${seed}: ${fuzz.cases} cases`);
  }
  seed = (seed + 1) % 2 ** 31;
}
