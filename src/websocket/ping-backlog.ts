import type { ProgressSource } from '../endpoints/net/stall-watch.js';

/** Periods of `keepAlive` without visible progress that a peer has to read what its own system has received for it. */
const UNSEEN_PERIODS = 3;
/** Bytes that are no backlog: the ping itself may be among what was measured. */
const SMALL = 1024;
/** Part of a period that a measure may be old. */
const AGE = 0.1;

/**
 * The bytes that lie before an unanswered ping. A slow reader gets to the ping only behind them: as long as they become fewer it lives,
 * and when the last of them is acknowledged its own receive buffer is still to be read.
 */
export class PingBacklog {
  readonly #source: ProgressSource & { readonly bufferedBytes: number };
  #taken = 0;
  #held: Promise<number | undefined> | undefined;
  #unseen = 0;

  constructor(source: ProgressSource & { readonly bufferedBytes: number }) {
    this.#source = source;
  }

  /** A ping is about to be sent, which is judged in `period` ms. */
  note(period: number): void {
    this.#unseen = 0;
    void this.#measure(period);
  }

  /** A period has passed without an answer. False: nothing lay before the ping, or it was not read. */
  async isReading(period: number): Promise<boolean> {
    const [taken, before] = [this.#taken, await this.#held];
    const now = await this.#measure(period);
    if (this.#taken > taken || (before !== undefined && now !== undefined && now < before)) {
      this.#unseen = 0;
      return true;
    }
    const wasBehind = this.#unseen > 0 || (before !== undefined && before > SMALL) || this.#source.bufferedBytes > 0;
    return wasBehind && now === 0 && this.#source.bufferedBytes === 0 && ++this.#unseen < UNSEEN_PERIODS;
  }

  #measure(period: number): Promise<number | undefined> {
    this.#taken = this.#source.bytesWritten;
    return (this.#held = this.#source.unacknowledged?.(period * AGE) ?? Promise.resolve(undefined));
  }
}
