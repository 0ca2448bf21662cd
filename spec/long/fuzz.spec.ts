import { Fuzz } from '../kit/fuzz/run.js';
import { seedOfRun } from '../kit/random.js';

/** Seconds for each kind. */
const SECONDS = Number(process.env['PACKET_FUZZ_SECONDS'] ?? 60);

describe('a server that is fuzzed for a minute', function () {
  this.timeout(SECONDS * 1_000 + 120_000);

  for (const kind of ['http', 'websocket'] as const)
    it(`over ${kind} lives, counts nothing that is gone, gives everything back and ends with 0`, () =>
      new Fuzz({ kind, seed: seedOfRun(), duration: SECONDS * 1_000 }).run());
});
