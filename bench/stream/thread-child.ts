import { parentPort } from 'node:worker_threads';
import { itemsOf } from './items.js';
import type { Order } from './fork-child.js';

parentPort!.on('message', ({ count, size }: Order) => {
  if (size === undefined) for (const item of itemsOf(count)) parentPort!.postMessage(item);
  else for (let i = 0; i < count; i++) parentPort!.postMessage(Buffer.alloc(size, i));
  parentPort!.postMessage('end');
});
