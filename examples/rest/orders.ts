import { z } from 'zod';

export const NewOrder = z.object({ item: z.string().min(1).max(200), quantity: z.number().int().min(1) });
export const Order = NewOrder.extend({ id: z.number().int() }).meta({ id: 'Order' });
export type NewOrder = z.infer<typeof NewOrder>;
export type Order = z.infer<typeof Order>;

/** What a client may ask for that is not there. */
export class NoSuchOrder extends Error {
  constructor(id: number) {
    super(`there is no order ${id}`);
  }
}

/** A store in memory: one for the application. */
export class OrderStore {
  readonly #orders = new Map<number, Order>();
  #last = 0;

  add(order: NewOrder): Order {
    const id = ++this.#last;
    const added = { id, ...order };
    this.#orders.set(id, added);
    return added;
  }

  find(id: number): Order {
    const order = this.#orders.get(id);
    if (!order) throw new NoSuchOrder(id);
    return order;
  }

  change(id: number, order: NewOrder): Order {
    const changed = { ...this.find(id), ...order };
    this.#orders.set(id, changed);
    return changed;
  }

  remove(id: number): void {
    this.find(id);
    this.#orders.delete(id);
  }

  page(from: number, size: number): Order[] {
    return [...this.#orders.values()].filter(({ id }) => id > from).slice(0, size);
  }
}
