import { Task, Worker } from 'packet-ts';
import { z } from 'zod';

@Worker('reports')
export class Reports {
  @Task({ input: z.array(z.number()), output: z.number() })
  sum(numbers: number[]): number {
    return numbers.reduce((total, n) => total + n, 0);
  }
  @Task({ input: z.number(), yields: z.string() })
  async *pages(count: number): AsyncIterable<string> {
    for (let n = 1; n <= count; n++) yield `page ${n}`;
  }
}
