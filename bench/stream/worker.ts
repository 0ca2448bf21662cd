import { z } from 'zod';
import { bytes, Task, transfer, Worker } from '../../src/index.js';
import { itemsOf, type Item } from './items.js';

const ItemSchema = z.object({ id: z.number(), text: z.string() });

@Worker('bench_stream', { timeout: 0 })
export class StreamWorker {
  @Task({ input: z.number(), yields: ItemSchema })
  async *items(count: number): AsyncGenerator<Item> {
    yield* itemsOf(count);
  }

  @Task({ input: z.object({ count: z.number(), size: z.number() }), yields: bytes() })
  async *chunks({ count, size }: { count: number; size: number }): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < count; i++) yield Buffer.alloc(size, i);
  }

  @Task({ input: z.object({ count: z.number(), size: z.number() }), yields: bytes() })
  async *moved({ count, size }: { count: number; size: number }): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < count; i++) yield transfer(new Uint8Array(size).fill(i));
  }
}
