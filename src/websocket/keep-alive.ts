import { setImmediate } from '../system-timers.js';
import { realClock, type Clock } from '../clock.js';
import { TimerHeap, type HeapTimer } from '../timing/timer-heap.js';
import type { PingBacklog } from './ping-backlog.js';

/** The connection whose peer is watched. */
export interface KeepAliveHost {
  /** Nothing that the peer sends would be noticed: it is not read, or we have closed. */
  readonly isDeaf: boolean;
  /** Bytes that the kernel took: it grows as long as the peer reads. */
  readonly taken: number;
  /** Bytes ahead of a ping; left out where the bytes taken show every step of the peer. */
  readonly backlog?: PingBacklog;
  ping(): void;
  /** The peer has been silent for longer than it may be. */
  onLost(): void;
}

/** A clock, and the one timer of all websockets that go by it. */
export interface KeepAliveTiming {
  readonly clock: Clock;
  readonly alarms: TimerHeap;
}

const REAL: KeepAliveTiming = { clock: realClock, alarms: new TimerHeap(realClock) };

/** Pings a peer that has been silent for a period, and gives it up when it is silent for another one. */
export class KeepAlive implements HeapTimer {
  alarmAt = Infinity;
  alarmIndex = -1;
  readonly #host: KeepAliveHost;
  /** In milliseconds; Infinity: never. */
  #period: number;
  /** When something last arrived. */
  #heardAt: number;
  /** When it was pinged; 0: it need not answer. */
  #pingedAt = 0;
  #taken = 0;
  readonly #timing: KeepAliveTiming;

  /** @param period in milliseconds. Infinity: the peer is never pinged. */
  constructor(host: KeepAliveHost, period: number, timing = REAL) {
    this.#host = host;
    this.#period = period;
    this.#timing = timing;
    this.#heardAt = timing.clock.now();
    timing.alarms.set(this, this.#heardAt + period);
  }

  /** Something has arrived. */
  onHeard(): void {
    this.#heardAt = this.#timing.clock.now();
  }

  stop(): void {
    this.#period = Infinity;
    this.#timing.alarms.set(this, Infinity);
  }

  onAlarm(): void {
    const now = this.#timing.clock.now();
    if (this.#host.isDeaf) this.#again(now);
    else if (this.#heardAt > this.#pingedAt && now - this.#heardAt < this.#period) this.#again(this.#heardAt);
    else if (this.#pingedAt === 0 || this.#heardAt > this.#pingedAt) this.#ping(now);
    else this.#judge(now);
  }

  /** Looks again when a period has passed since then. */
  #again(since: number): void {
    this.#pingedAt = 0;
    this.#timing.alarms.set(this, since + this.#period);
  }

  #ping(now: number): void {
    this.#pingedAt = now;
    this.#taken = this.#host.taken;
    this.#host.backlog?.note(this.#period);
    this.#host.ping();
    this.#timing.alarms.set(this, now + this.#period);
  }

  /** Decides on a ping without an answer. While the peer reads the bytes sent before the ping, it cannot answer. */
  #judge(now: number): void {
    const { taken } = this.#host;
    if (taken > this.#taken) {
      this.#taken = taken;
      this.#timing.alarms.set(this, now + this.#period);
      return;
    }
    // After a stall timers come first: its answer may be there and not read yet.
    setImmediate(() => {
      if (this.#heardAt > this.#pingedAt || this.#host.isDeaf) this.#again(this.#timing.clock.now());
      else void this.#judgeBacklog(now);
    });
  }

  /** The system took nothing more, but the peer may have acknowledged some of what it holds. */
  async #judgeBacklog(now: number): Promise<void> {
    const isReading = await this.#host.backlog?.isReading(this.#period);
    if (this.#period === Infinity) return;
    if (this.#heardAt > this.#pingedAt || this.#host.isDeaf) this.#again(this.#timing.clock.now());
    else if (isReading) this.#timing.alarms.set(this, now + this.#period);
    else this.#host.onLost();
  }
}
