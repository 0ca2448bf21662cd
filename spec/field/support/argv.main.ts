/** A program of one file: its check of the command line runs in the worker, too. */
import { spawn, Task, Worker } from 'packet-ts';
import { z } from 'zod';

if (process.argv.length < 3) {
  process.stderr.write('usage: argv.main.js NUMBER\n');
  process.exit(2);
}

@Worker('one_file', { timeout: '5s', restart: { maxFailedStarts: 1 } })
class Twice {
  @Task({ input: z.number(), output: z.number() }) twice(value: number): number {
    return value * 2;
  }
}

try {
  await (await spawn(Twice, { logger: false })).twice(Number(process.argv[2]));
} catch (error) {
  process.stdout.write(`${(error as Error).message}\n${String(((error as Error).cause as Error | undefined)?.message)}\n`);
}
