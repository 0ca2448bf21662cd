import { expect } from 'chai';
import * as fc from 'fast-check';
import { FairQueue, type Queueable } from '../../../src/workers/queue/fair-queue.js';

class Item implements Queueable<Item> {
  prev: Item | undefined;
  next: Item | undefined;
  list: Queueable<Item>['list'];
  callerQueue: Queueable<Item>['callerQueue'];
  constructor(
    readonly caller: string,
    readonly number: number,
    readonly weight = 0,
  ) {}
}

/** The same, written for the reader: arrays, and every question answered by looking at all. */
class Model {
  returned: Item[] = [];
  turns: string[] = [];
  served: string | undefined;
  ready = new Map<string, Item[]>();
  parked = new Map<string, Item[]>();

  of(map: Map<string, Item[]>, caller: string): Item[] {
    if (!map.has(caller)) map.set(caller, []);
    return map.get(caller)!;
  }

  waiting(caller: string): number {
    return this.of(this.ready, caller).length + this.of(this.parked, caller).length;
  }

  push(item: Item): void {
    const line = this.of(this.ready, item.caller);
    line.push(item);
    if (line.length === 1) this.turns.push(item.caller);
  }

  take(): Item | undefined {
    if (this.returned.length > 0) return this.returned.shift();
    if (this.served !== undefined) this.turns.push(this.served);
    this.served = undefined;
    const caller = this.turns.shift();
    if (caller === undefined) return undefined;
    const line = this.of(this.ready, caller);
    const item = line.shift();
    if (line.length > 0) this.served = caller;
    return item;
  }

  delete(item: Item): boolean {
    for (const list of [this.returned, this.of(this.ready, item.caller), this.of(this.parked, item.caller)]) {
      const at = list.indexOf(item);
      if (at < 0) continue;
      list.splice(at, 1);
      if (list === this.ready.get(item.caller) && list.length === 0) {
        if (this.served === item.caller) this.served = undefined;
        else this.turns.splice(this.turns.indexOf(item.caller), 1);
      }
      return true;
    }
    return false;
  }

  get most(): number {
    return Math.max(0, ...[...this.ready.keys(), ...this.parked.keys()].map(caller => this.waiting(caller)));
  }
}

describe('the fair queue', () => {
  it('serves callers in turn, and each one first come first served', () => {
    const queue = new FairQueue<Item>();
    for (const [caller, number] of [
      ['a', 1],
      ['a', 2],
      ['a', 3],
      ['b', 1],
      ['c', 1],
      ['c', 2],
    ] as const)
      queue.push(new Item(caller, number), caller);
    const order: string[] = [];
    for (let item = queue.take(); item; item = queue.take()) order.push(item.caller + item.number);
    expect(order).to.deep.equal(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
  });

  it('lets who comes while a call runs go before the next call of the same caller, and holds that caller up no longer', () => {
    const queue = new FairQueue<Item>();
    for (let i = 1; i <= 5; i++) queue.push(new Item('flood', i), 'flood');
    const order: string[] = [];
    // A new caller in each turn: none of them takes more than its own place from the one that was there.
    for (let item = queue.take(); item; item = queue.take()) {
      order.push(item.caller + item.number);
      if (order.length <= 4) queue.push(new Item(`new${order.length}-`, 1), `new${order.length}-`);
    }
    expect(order).to.deep.equal(['flood1', 'new1-1', 'flood2', 'new2-1', 'new3-1', 'flood3', 'new4-1', 'flood4', 'flood5']);
  });

  it('behaves like its model, whatever is done to it', () => {
    const operation = fc.oneof(
      { weight: 4, arbitrary: fc.record({ what: fc.constant('push' as const), caller: fc.constantFrom('a', 'b', 'c', 'd') }) },
      { weight: 2, arbitrary: fc.record({ what: fc.constant('park' as const), caller: fc.constantFrom('a', 'b') }) },
      { weight: 3, arbitrary: fc.constant({ what: 'take' as const }) },
      {
        weight: 1,
        arbitrary: fc.record({ what: fc.constantFrom('delete' as const, 'unpark' as const, 'giveBack' as const), at: fc.nat() }),
      },
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), operations => {
        const queue = new FairQueue<Item>();
        const model = new Model();
        const taken: Item[] = [];
        const waiting: Item[] = [];
        let number = 0;
        for (const each of operations) {
          if (each.what === 'push' || each.what === 'park') {
            const item = new Item(each.caller, number++);
            waiting.push(item);
            if (each.what === 'push') {
              queue.push(item, each.caller);
              model.push(item);
            } else {
              queue.park(item, each.caller);
              model.of(model.parked, each.caller).push(item);
            }
          } else if (each.what === 'take') {
            const item = queue.take();
            expect(item).to.equal(model.take());
            if (item) {
              taken.push(item);
              waiting.splice(waiting.indexOf(item), 1);
            }
          } else if (each.what === 'giveBack') {
            const item = taken.splice(each.at % Math.max(1, taken.length), 1)[0];
            if (!item) continue;
            queue.giveBack(item);
            model.returned.push(item);
            waiting.push(item);
          } else if (each.what === 'unpark') {
            const parked = [...model.parked.values()].flat();
            const item = parked[each.at % Math.max(1, parked.length)];
            if (!item) continue;
            queue.unpark(item);
            model.delete(item);
            model.push(item);
          } else {
            const item = waiting.splice(each.at % Math.max(1, waiting.length), 1)[0];
            if (!item) continue;
            expect(queue.delete(item)).to.equal(true);
            expect(queue.delete(item)).to.equal(false);
            model.delete(item);
          }
          expect(queue.size).to.equal(waiting.length);
          for (const caller of ['a', 'b', 'c', 'd']) expect(queue.waiting(caller)).to.equal(model.waiting(caller));
          const victim = queue.victim('nobody');
          if (model.most === 0) expect(victim).to.equal(undefined);
          else expect(model.waiting(victim!.caller)).to.equal(model.most);
        }
        const rest = [...queue.drain()];
        expect(rest).to.have.members(waiting);
        expect(queue.size).to.equal(0);
      }),
    );
  });

  it('names the newest of the caller who waits with most, and nobody when the newcomer does', () => {
    const queue = new FairQueue<Item>();
    const items = [1, 2, 3].map(number => new Item('greedy', number));
    for (const item of items) queue.push(item, 'greedy');
    queue.push(new Item('modest', 1), 'modest');
    expect(queue.victim('modest')).to.equal(items[2]);
    expect(queue.victim('greedy')).to.equal(undefined);
  });

  it('gives callers of one group one turn together, which they take one after the other', () => {
    const queue = new FairQueue<Item>();
    for (let i = 1; i <= 2; i++) for (const caller of ['a', 'b', 'c']) queue.push(new Item(caller, i), caller, 'one address');
    for (let i = 1; i <= 4; i++) queue.push(new Item('honest', i), 'honest', 'another');
    queue.push(new Item('app', 1), 'app');
    const order: string[] = [];
    for (let item = queue.take(); item; item = queue.take()) order.push(item.caller + item.number);
    expect(order).to.deep.equal(['a1', 'honest1', 'app1', 'b1', 'honest2', 'c1', 'honest3', 'a2', 'honest4', 'b2', 'c2']);
  });

  it('lets who comes while a call runs go before the next call of the same group, and of the same caller in it', () => {
    const queue = new FairQueue<Item>();
    for (const caller of ['a', 'b']) for (let i = 1; i <= 2; i++) queue.push(new Item(caller, i), caller, 'crowd');
    expect(queue.take()).to.include({ caller: 'a', number: 1 });
    queue.push(new Item('honest', 1), 'honest', 'another');
    queue.push(new Item('c', 1), 'c', 'crowd');
    const order: string[] = [];
    for (let item = queue.take(); item; item = queue.take()) order.push(item.caller + item.number);
    expect(order).to.deep.equal(['honest1', 'b1', 'c1', 'a2', 'b2']);
  });

  it('names the newest of the fullest caller in the fullest group, then the fullest caller of the own one', () => {
    const queue = new FairQueue<Item>();
    const crowd = ['a', 'b', 'b', 'c', 'd'].map((caller, number) => new Item(caller, number));
    for (const item of crowd) queue.push(item, item.caller, 'crowd');
    for (let i = 0; i < 3; i++) queue.push(new Item('alone', i), 'alone');
    expect(queue.victim('newcomer', 'another')).to.equal(crowd[2]);
    expect(queue.victim('alone')).to.equal(crowd[2]);
    expect(queue.victim('a', 'crowd')).to.equal(crowd[2]);
    expect(queue.victim('b', 'crowd')).to.equal(undefined);
  });

  it('weighs groups first, then the callers of the heaviest or of the own one', () => {
    const queue = new FairQueue<Item>();
    const crowd = ['a', 'b', 'c', 'd'].map((caller, number) => new Item(caller, number, caller === 'c' ? 20 : 10));
    for (const item of crowd) queue.push(item, item.caller, 'crowd');
    queue.push(new Item('alone', 0, 30), 'alone');
    expect(queue.heaviest('newcomer', 49, 'another')).to.equal(crowd[2]);
    expect(queue.heaviest('newcomer', 50, 'another')).to.equal(undefined);
    expect(queue.heaviest('alone', 19)).to.equal(crowd[2]);
    expect(queue.heaviest('alone', 20)).to.equal(undefined);
    expect(queue.heaviest('a', 9, 'crowd')).to.equal(crowd[2]);
    expect(queue.heaviest('a', 10, 'crowd')).to.equal(undefined);
    expect(queue.heaviest('e', 19, 'crowd')).to.equal(crowd[2]);
  });

  it('keeps the turns of groups whatever is done to it: in each round every group that waits has one call served', () => {
    const operation = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ what: fc.constantFrom('push' as const, 'park' as const), caller: fc.integer({ min: 0, max: 11 }) }),
      },
      { weight: 2, arbitrary: fc.record({ what: fc.constant('take' as const), caller: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('delete' as const, 'unpark' as const), caller: fc.nat() }) },
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), operations => {
        const queue = new FairQueue<Item>();
        const groupOf = (caller: string): string => `group ${Number(caller) % 3}`;
        const ready = new Set<Item>();
        const parked = new Set<Item>();
        let number = 0;
        for (const { what, caller } of operations) {
          if (what === 'push' || what === 'park') {
            const item = new Item(String(caller), number++);
            queue[what](item, item.caller, groupOf(item.caller));
            (what === 'push' ? ready : parked).add(item);
          } else if (what === 'take') {
            const item = queue.take();
            expect(item !== undefined).to.equal(ready.size > 0);
            if (item) ready.delete(item);
          } else {
            const from = [...(what === 'unpark' ? parked : [...ready, ...parked])];
            const item = from[caller % Math.max(1, from.length)];
            if (!item) continue;
            if (what === 'unpark') {
              queue.unpark(item);
              ready.add(item);
            } else {
              expect(queue.delete(item)).to.equal(true);
              ready.delete(item);
            }
            parked.delete(item);
          }
          expect(queue.size).to.equal(ready.size + parked.size);
          expect(queue.hasReady).to.equal(ready.size > 0);
        }
        // One that has been served may stand first or last in the round that is under way: the next one is whole.
        let last: string | undefined;
        while (ready.size > 0) {
          const item = queue.take()!;
          const others = new Set([...ready].map(({ caller }) => groupOf(caller)).filter(group => group !== groupOf(item.caller)));
          if (others.size > 0) expect(groupOf(item.caller)).to.not.equal(last);
          last = groupOf(item.caller);
          expect(ready.delete(item)).to.equal(true);
        }
        expect([...queue.drain()]).to.have.members([...parked]);
        expect(queue.victim('nobody')).to.equal(undefined);
      }),
    );
  });

  it('costs the same with a million waiting as with a thousand', () => {
    const rate = (size: number): number => {
      const queue = new FairQueue<Item>();
      for (let i = 0; i < size; i++) queue.push(new Item(`caller ${i % 1000}`, i), `caller ${i % 1000}`);
      const rounds = 100_000;
      const from = performance.now();
      for (let i = 0; i < rounds; i++) {
        const item = queue.take()!;
        queue.push(item, item.caller);
      }
      return rounds / (performance.now() - from);
    };
    rate(1000);
    // Cache misses alone make memory of this size several times slower; a cost that grows with the queue would make it a thousand times.
    expect(rate(1_000_000)).to.be.greaterThan(rate(1000) / 40);
  });

  it('remembers no caller that waits for nothing', () => {
    const queue = new FairQueue<Item>();
    for (let i = 0; i < 1000; i++) {
      queue.push(new Item(`caller ${i}`, i), `caller ${i}`);
      queue.take();
    }
    expect(queue.waiting('caller 5')).to.equal(0);
    expect(queue.victim('x')).to.equal(undefined);
  });
});
