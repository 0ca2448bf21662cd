/**
 * Runs one comparison: `npm run bench dispatch`, `npm run bench dispatch -- --at 64 --only piscina --ms 500`.
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
  'scale',
  'cores',
  'profile',
] as const;

const [name, ...rest] = process.argv.slice(2);
const found = BENCHES.find(bench => bench === name);
if (!found) {
  console.error(`npm run bench <name> [-- --rounds 7 --ms 200 --at 1,64 --only piscina,fork]\nnames: ${BENCHES.join(', ')}`);
  process.exitCode = 2;
} else {
  const { run } = (await import(`./${found}.js`)) as { run: (argv: readonly string[]) => Promise<void> };
  await run(rest);
}
