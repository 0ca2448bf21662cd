import { itemsOf } from './items.js';

/** What is asked for: objects, or buffers of a size. */
export interface Order {
  readonly count: number;
  readonly size?: number;
}

/** False: the channel takes no more for now. */
function sent(message: unknown): boolean {
  return process.send!(message);
}

process.on('message', ({ count, size }: Order) => {
  void (async () => {
    const all = size === undefined ? itemsOf(count) : buffers(count, size);
    for (const item of all) if (!sent(item)) await new Promise(resolve => void setImmediate(resolve));
    process.send!('end');
  })();
});
process.on('disconnect', () => process.exit());

function* buffers(count: number, size: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(size, i);
}
