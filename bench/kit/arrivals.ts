import { Worker } from 'node:worker_threads';

/** How many arrivals a second, for how many milliseconds. */
export interface Load {
  readonly perSecond: number;
  readonly ms: number;
}

/** When a call arrived, in milliseconds since the epoch; or, negative, how many there were. */
type News = number;

/**
 * Calls that arrive by chance (a Poisson process), whether earlier ones were answered or not. They come from a thread that sleeps between
 * them, as requests come from a network: a client that looked at the clock all the time would leave no processor idle, and its collector
 * would be what is measured.
 */
export class Arrivals {
  readonly #thread = new Worker(new URL('./arrivals-thread.js', import.meta.url));

  /** Calls `arrive` for each, with the time of its arrival in milliseconds since the epoch. Resolves to their number when all have come. */
  async offer(load: Load, arrive: (at: number) => void): Promise<number> {
    return new Promise((resolve, reject) => {
      const over = (): void => {
        this.#thread.off('message', listen).off('error', fail);
      };
      const listen = (news: News): void => {
        if (news >= 0) return arrive(news);
        over();
        resolve(-news);
      };
      const fail = (error: Error): void => {
        over();
        reject(error);
      };
      this.#thread.on('message', listen).on('error', fail);
      this.#thread.postMessage(load);
    });
  }

  async stop(): Promise<void> {
    await this.#thread.terminate();
  }
}
