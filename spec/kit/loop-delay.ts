/**
 * Looks every 100 ms at what this process takes: how long it holds its event loop at most, and how far its memory rises.
 * Time in which other processes had the processor does not count.
 */
export class LoopDelay implements Disposable {
  static readonly every = 100;
  readonly #timer: NodeJS.Timeout;
  readonly #rssAtFirst = process.memoryUsage.rss();
  #due = performance.now() + LoopDelay.every;
  #cpu = process.cpuUsage();
  #peak = 0;
  #rss = this.#rssAtFirst;
  /** How often it has looked. */
  looks = 0;

  constructor() {
    this.#timer = setInterval(() => this.#look(), LoopDelay.every);
  }

  /** The longest that a timer was late while this process computed, in ms, the present one included. */
  get peak(): number {
    return Math.max(this.#peak, this.#held());
  }

  /** The most bytes of RSS above those at the beginning. */
  get grown(): number {
    return Math.max(this.#rss, process.memoryUsage.rss()) - this.#rssAtFirst;
  }

  /** Milliseconds since the timer was due, and no more than what this process has computed since the last look. */
  #held(): number {
    const { user, system } = process.cpuUsage(this.#cpu);
    return Math.min(performance.now() - this.#due, (user + system) / 1000);
  }

  #look(): void {
    this.looks++;
    this.#peak = Math.max(this.#peak, this.#held());
    this.#due = performance.now() + LoopDelay.every;
    this.#cpu = process.cpuUsage();
    this.#rss = Math.max(this.#rss, process.memoryUsage.rss());
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
