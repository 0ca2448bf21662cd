import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { EventName } from '../../src/diagnostics.js';

/** Collects what is published while it listens. */
export class Events implements Disposable {
  readonly seen: Record<string, unknown>[] = [];
  readonly #name: string;
  readonly #listener = (message: unknown): void => {
    this.seen.push(message as Record<string, unknown>);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(this.seen.at(-1)!);
  };
  #waiting: ((event: Record<string, unknown>) => void)[] = [];

  constructor(name: EventName) {
    this.#name = `packet-ts:${name}`;
    subscribe(this.#name, this.#listener);
  }

  /** The next one. */
  next(): Promise<Record<string, unknown>> {
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  [Symbol.dispose](): void {
    unsubscribe(this.#name, this.#listener);
  }
}
