import { startBurner } from './kit/burner.js';
import { saved } from './kit/report.js';

/**
 * Runs one comparison: `npm run bench dispatch`, `npm run bench dispatch -- --at 64 --only piscina --ms 500`. `--busy` runs it beside a
 * process that burns a core; `--save` writes its results and charts to docs/performance.
 */
const BENCHES = [
  'dispatch',
  'payload',
  'stream',
  'echo',
  'websocket',
  'http',
  'connections',
  'start',
  'recovery',
  'memory',
  'scale',
  'cores',
  'mesh',
  'profile',
  'check',
] as const;

const [name, ...given] = process.argv.slice(2);
const found = BENCHES.find(bench => bench === name);
/** Options that hold for every bench: taken out before it reads its own. */
const rest = given.filter(argument => argument !== '--busy' && argument !== '--save');
if (!found) {
  console.error(
    `npm run bench <name> [-- --rounds 7 --ms 200 --at 1,64 --only piscina,fork --first thread --busy --save]\nnames: ${BENCHES.join(', ')}`,
  );
  process.exitCode = 2;
} else {
  saved.wanted = given.includes('--save');
  saved.busy = given.includes('--busy');
  const stop = saved.busy ? startBurner() : undefined;
  try {
    const { run } = (await import(`./${found}.js`)) as { run: (argv: readonly string[]) => Promise<void> };
    await run(rest);
  } finally {
    await stop?.();
  }
}
