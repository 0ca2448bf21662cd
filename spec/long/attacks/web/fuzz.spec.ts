import { Fuzz } from '../../../kit/fuzz/run.js';
import { seedOfRun } from '../../../kit/random.js';

describe('a server that is fuzzed', function () {
  this.timeout(120_000);
  this.slow(30_000);

  for (const kind of ['http', 'websocket'] as const)
    it(`over ${kind} lives, counts nothing that is gone, gives everything back and ends with 0`, () =>
      new Fuzz({ kind, seed: seedOfRun(), duration: 1_500, every: 7 }).run());
});
