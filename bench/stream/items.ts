export interface Item {
  readonly id: number;
  readonly text: string;
}

export function* itemsOf(count: number): Generator<Item> {
  for (let id = 0; id < count; id++) yield { id, text: `item ${id} of ${count}` };
}
