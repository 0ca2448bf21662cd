import { Task, Worker } from 'packet-ts';
import { z } from 'zod';

/** What would hold up everybody else has processes of its own. */
@Worker('primes', { minWorkers: 1, maxWorkers: 'cores', timeout: '5s' })
export class Primes {
  @Task({ input: z.number().int().positive(), output: z.number() })
  below(limit: number): number {
    let count = 0;
    next: for (let n = 2; n < limit; n++) {
      for (let i = 2; i * i <= n; i++) if (n % i === 0) continue next;
      count++;
    }
    return count;
  }
}
