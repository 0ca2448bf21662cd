import type { Call, Order, Receipt } from './work.js';

/** A message of the contenders that have no pool: the client's own numbering of calls. */
export type Request = readonly [id: number, order: Order];
export type Response = readonly [id: number, receipt: Receipt];

/** The least that turns messages into promises, for contenders that only have messages. */
export function promisesOver(post: (request: Request) => void): { call: Call; answered(response: Response): void } {
  const pending = new Map<number, (receipt: Receipt) => void>();
  let lastId = 0;
  return {
    call: order =>
      new Promise(resolve => {
        lastId += 1;
        pending.set(lastId, resolve);
        post([lastId, order]);
      }),
    answered: ([id, receipt]) => {
      const resolve = pending.get(id)!;
      pending.delete(id);
      resolve(receipt);
    },
  };
}
