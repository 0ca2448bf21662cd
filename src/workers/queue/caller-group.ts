import type { List } from './list.js';
import { Ranking, type Ranked } from './ranking.js';
import { Turns, type Turn } from './turns.js';

/** All callers that one address has: together they have one turn, which they take one after the other. It exists only while one waits. */
export class CallerGroup<T> implements Turn<T> {
  readonly turns = new Turns<T>();
  readonly ranking = new Ranking<Turn<T>>();
  waiting = 0;
  weight = 0;
  ready = 0;
  rank: Ranked<Turn<T>>['rank'];
  above: Turn<T> | undefined;
  below: Turn<T> | undefined;
  prev: Turn<T> | undefined;
  next: Turn<T> | undefined;
  list: List<Turn<T>> | undefined;

  constructor(readonly id: string) {}

  get newest(): T | undefined {
    return this.ranking.first?.newest;
  }

  shift(): T | undefined {
    const item = this.turns.shift();
    if (item !== undefined) this.ready--;
    return item;
  }
}
