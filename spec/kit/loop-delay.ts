/** Looks every 100 ms what this process takes: how late its event loop is at most, and how far its memory rises. */
export class LoopDelay implements Disposable {
  static readonly every = 100;
  readonly #timer: NodeJS.Timeout;
  readonly #rssAtFirst = process.memoryUsage.rss();
  #due = performance.now() + LoopDelay.every;
  #peak = 0;
  #rss = this.#rssAtFirst;
  /** How often it has looked. */
  looks = 0;

  constructor() {
    this.#timer = setInterval(() => this.#look(), LoopDelay.every);
  }

  /** The longest that a timer was late, in ms, the present one included. */
  get peak(): number {
    return Math.max(this.#peak, performance.now() - this.#due);
  }

  /** The most bytes of RSS above those at the beginning. */
  get grown(): number {
    return Math.max(this.#rss, process.memoryUsage.rss()) - this.#rssAtFirst;
  }

  #look(): void {
    const now = performance.now();
    this.looks++;
    this.#peak = Math.max(this.#peak, now - this.#due);
    this.#due = now + LoopDelay.every;
    this.#rss = Math.max(this.#rss, process.memoryUsage.rss());
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
