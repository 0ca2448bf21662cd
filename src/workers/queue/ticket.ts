import type { List, Listed } from './list.js';

/** The time limit of one waiting call, in the queue's list of them. */
export class Ticket<C> implements Listed<Ticket<C>> {
  prev: Ticket<C> | undefined;
  next: Ticket<C> | undefined;
  list: List<Ticket<C>> | undefined;

  /** @param until when its time is over, in milliseconds of the queue's clock */
  constructor(
    readonly call: C,
    readonly until: number,
  ) {}
}
