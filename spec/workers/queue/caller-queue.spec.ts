import { expect } from 'chai';
import { CallerQueue, type Queueable } from '../../../src/workers/queue/caller-queue.js';

class Item implements Queueable<Item> {
  prev: Item | undefined;
  next: Item | undefined;
  list: Queueable<Item>['list'];
  callerQueue: Queueable<Item>['callerQueue'];
  constructor(
    readonly name: string,
    readonly within?: string,
  ) {}
}

/** Items by name: 'a1' is one of the caller a within the caller, '1' one of the caller's own. */
function queued(...names: string[]): { queue: CallerQueue<Item>; items: Map<string, Item> } {
  const queue = new CallerQueue<Item>('caller');
  const items = new Map(names.map(name => [name, new Item(name, /^[a-z]/.exec(name)?.[0])]));
  for (const item of items.values()) queue.append(item);
  return { queue, items };
}

function rest(queue: CallerQueue<Item>): string {
  const names: string[] = [];
  for (let item = queue.shift(); item; item = queue.shift()) names.push(item.name);
  return names.join(' ');
}

describe("one caller's queue", () => {
  it('is first come, first served, where it has no callers within it', () => {
    const { queue } = queued('1', '2', '3');
    expect([queue.ready, queue.newest?.name]).to.deep.equal([3, '3']);
    expect(rest(queue)).to.equal('1 2 3');
    expect([queue.ready, queue.newest]).to.deep.equal([0, undefined]);
  });

  it('gives the callers within it turns, its own calls one as well', () => {
    expect(rest(queued('a1', 'a2', 'a3', 'b1', 'b2', 'c1').queue)).to.equal('a1 b1 c1 a2 b2 a3');
    expect(rest(queued('1', '2', 'a1', 'a2', '3').queue)).to.equal('1 a1 2 a2 3');
    expect(rest(queued('a1', 'a2', '1', '2').queue)).to.equal('a1 1 a2 2');
  });

  it('names as newest one of those whose turn is last', () => {
    const { queue } = queued('a1', 'a2', 'b1');
    expect(queue.newest?.name).to.equal('b1');
    queue.shift();
    expect(queue.newest?.name).to.equal('a2');
  });

  it('lets one go from wherever it stands, and the turn of a caller with its last', () => {
    const { queue, items } = queued('a1', 'b1', 'b2', 'c1');
    queue.remove(items.get('a1')!);
    queue.remove(items.get('b2')!);
    expect(queue.ready).to.equal(2);
    queue.append(items.get('a1')!);
    expect(rest(queue)).to.equal('b1 c1 a1');
    queue.append(new Item('1'));
    queue.append(new Item('2'));
    expect(rest(queue), 'as if it had never had callers within it').to.equal('1 2');
  });
});
