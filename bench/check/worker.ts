import { z } from 'zod';
import type * as Packet from '../../src/index.js';

/** The package under test is that of the checkout that started this process, and not the one that this file was compiled in. */
const { Worker, Task } = (await import(`${process.env['CHECKOUT']!}/dist/src/index.js`)) as typeof Packet;

/** A small object there, a small object back. */
export class CheckWorker {
  receipt(order: { readonly id: number; readonly name: string; readonly amount: number }): { id: number; label: string; total: number } {
    return { id: order.id, label: `${order.name}!`, total: order.amount * 2 };
  }
}
const { prototype } = CheckWorker;
const Order = z.object({ id: z.number(), name: z.string(), amount: z.number() });
Task({ input: Order, output: z.object({ id: z.number(), label: z.string(), total: z.number() }) })(
  prototype,
  'receipt',
  Object.getOwnPropertyDescriptor(prototype, 'receipt')!,
);
Worker('check_worker', { source: import.meta.url, timeout: 0 })(CheckWorker);
