/** What every contender carries, and what its worker does: a small object in, a small object out. */
export interface Order {
  readonly id: number;
  readonly name: string;
  readonly amount: number;
  readonly tags: readonly string[];
}

export interface Receipt {
  readonly id: number;
  readonly label: string;
  readonly total: number;
}

export type Call = (order: Order) => Promise<Receipt>;

export function work(order: Order): Receipt {
  return { id: order.id, label: `${order.name} (${order.tags.join(', ')})`, total: order.amount * 1.2 };
}

let lastId = 0;

/** A new order each time: nobody may profit from seeing the same object twice. */
export function nextOrder(): Order {
  lastId += 1;
  return { id: lastId, name: 'teapot', amount: 12.5, tags: ['kitchen', 'sale'] };
}

/** One call, its answer looked at. */
export async function callOnce(call: Call): Promise<void> {
  const order = nextOrder();
  const receipt = await call(order);
  if (receipt.id !== order.id || receipt.total !== 15) throw new Error(`wrong answer to order ${order.id}: ${JSON.stringify(receipt)}`);
}
