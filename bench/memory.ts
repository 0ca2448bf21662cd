import type { Contender } from './kit/contender.js';
import { chosen, readOptions } from './kit/options.js';
import { printed } from './kit/program.js';
import { report } from './kit/report.js';
import { runRounds } from './kit/rounds.js';
import { installPublished } from './start/published.js';

function program(name: string, file: string, args: readonly string[] = []): Contender<() => Promise<number>> {
  const url = new URL(`./memory/${file}.js`, import.meta.url);
  return { name, start: async () => ({ subject: () => printed(url, args), stop: () => {} }) };
}

const CONTENDERS = [
  program('a worker process', 'packet', ['process', '3']),
  program('a worker thread', 'packet', ['thread', '5']),
  program('bare child with zod and tsyringe', 'bare', ['libraries']),
  program('bare child with nothing', 'bare'),
];

/** Memory that an idle worker has of its own (Private_Dirty, Linux): against a child process that loads what the worker's code needs anyway. */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 5, ms: 0 });
  await installPublished();
  const figures = await runRounds(chosen(CONTENDERS, options), [{ name: 'idle' }], options.rounds, async subject => ({
    mb: await subject(),
  }));
  report('memory', [{ key: 'mb', unit: 'MB of its own', better: 'less' }], figures);
}
