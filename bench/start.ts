import type { Contender } from './kit/contender.js';
import { chosen, readOptions } from './kit/options.js';
import { printed } from './kit/program.js';
import { report } from './kit/report.js';
import { runRounds } from './kit/rounds.js';
import { installPublished } from './start/published.js';

/** A fresh program each time: the first start is the one that counts. */
function program(name: string, file: string, args: readonly string[] = []): Contender<() => Promise<number>> {
  const url = new URL(`./start/${file}.js`, import.meta.url);
  return { name, start: async () => ({ subject: () => printed(url, args), stop: () => {} }) };
}

const CONTENDERS = [
  program('packet-ts, bootstrap to ready', 'packet'),
  program('bare child with zod and tsyringe', 'bare', ['libraries']),
  program('bare child with nothing', 'bare', ['nothing']),
];

/** How long it takes until an application with one worker is ready: against a child process that loads what the worker's code needs anyway. */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 15, ms: 0 });
  await installPublished();
  const figures = await runRounds(chosen(CONTENDERS, options), [{ name: 'to ready' }], options.rounds, async subject => ({
    ms: await subject(),
  }));
  report('start', [{ key: 'ms', unit: 'ms until ready', better: 'less' }], figures);
}
