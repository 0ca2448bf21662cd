import type { Body, LinkReceiver } from '../../src/wire/link/types.js';

export type Heard = readonly [kind: number, id: number, arg: number, value: unknown];

/** A receiver that remembers. `next()` waits for the message after the last one asked for; `ended` for `closed`. */
export class Ear implements LinkReceiver {
  readonly heard: Heard[] = [];
  /** 'message', 'burst', 'drained' and 'closed', in order. */
  readonly signs: string[] = [];
  readonly ended: Promise<Error | undefined>;
  #end!: (error: Error | undefined) => void;
  #asked = 0;
  #waiting: { readonly index: number; readonly resolve: (message: Heard) => void }[] = [];

  constructor() {
    this.ended = new Promise(resolve => (this.#end = resolve));
  }

  next(): Promise<Heard> {
    const index = this.#asked++;
    const message = this.heard[index];
    if (message !== undefined) return Promise.resolve(message);
    return new Promise(resolve => this.#waiting.push({ index, resolve }));
  }

  onMessage(kind: number, id: number, arg: number, body: Body): void {
    this.signs.push('message');
    const message: Heard = [kind, id, arg, body.value()];
    const index = this.heard.push(message) - 1;
    this.#waiting.find(waiting => waiting.index === index)?.resolve(message);
    this.#waiting = this.#waiting.filter(waiting => waiting.index !== index);
  }

  onBurst(): void {
    this.signs.push('burst');
  }

  onDrained(): void {
    this.signs.push('drained');
  }

  onClosed(error?: Error): void {
    this.signs.push('closed');
    this.#end(error);
  }
}
