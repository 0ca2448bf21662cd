/** The contender of this house, as anybody would write it: both directions validated, default options. */
import { z } from 'zod';
import { Task, Worker } from '../../../src/index.js';
import { work, type Order, type Receipt } from '../work.js';

const OrderSchema = z.object({ id: z.number(), name: z.string(), amount: z.number(), tags: z.array(z.string()) });
const ReceiptSchema = z.object({ id: z.number(), label: z.string(), total: z.number() });

@Worker('bench_receipts')
export class ReceiptWorker {
  @Task({ input: OrderSchema, output: ReceiptSchema })
  receipt(order: Order): Receipt {
    return work(order);
  }
}
