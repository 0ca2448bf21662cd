import { setImmediate } from '../system-timers.js';
import type { Clock, ClockTimer } from '../clock.js';
import { stallExtension } from '../deadline.js';

/** A timer in the heap. The heap writes both fields. */
export interface HeapTimer {
  /** When; Infinity when it waits for nothing. */
  alarmAt: number;
  /** Where it stands in the queue, -1 when it does not. */
  alarmIndex: number;
  /** Its time has passed at `now`. */
  onAlarm(now: number): void;
}

/**
 * The next deadline of each connection, behind one timer: a timer of its own would cost each idle connection 250 bytes.
 * A binary heap; setting the last or cancelling costs next to nothing.
 *
 * As with `deadline()`, what is due when the timer fires is judged after the next poll, and after a stall of the event loop later still.
 */
export class TimerHeap {
  readonly #clock: Clock;
  readonly #heap: HeapTimer[] = [];
  #timer: ClockTimer | undefined;
  #timerAt = Infinity;
  /** End of the extension after a stall: nothing is judged earlier. -Infinity: there is none. */
  #extendedTo = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls it at that time, instead of the one it was set to. */
  set(timer: HeapTimer, at: number): void {
    const before = timer.alarmAt;
    timer.alarmAt = at;
    if (at === Infinity) this.#remove(timer);
    else if (timer.alarmIndex < 0) this.#siftUp(timer, this.#heap.push(timer) - 1);
    else if (at < before) this.#siftUp(timer, timer.alarmIndex);
    else this.#siftDown(timer, timer.alarmIndex);
    // A timer that has become too early looks again; only a late one must be replaced.
    if (at < this.#timerAt) this.#arm(at);
  }

  #remove(timer: HeapTimer): void {
    const index = timer.alarmIndex;
    if (index < 0) return;
    timer.alarmIndex = -1;
    const last = this.#heap.pop()!;
    if (last !== timer) {
      this.#siftDown(last, index);
      this.#siftUp(last, last.alarmIndex);
    }
    if (this.#heap.length > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }

  #arm(at: number): void {
    this.#timer?.cancel();
    this.#timerAt = Math.max(at, this.#extendedTo);
    this.#timer = this.#clock.after(Math.max(0, this.#timerAt - this.#clock.now()), this.#onTimer);
  }

  readonly #onTimer = (): void => {
    const now = this.#clock.now();
    const extension = this.#extendedTo === -Infinity ? stallExtension(this.#timerAt, now) : 0;
    this.#timer = undefined;
    this.#timerAt = Infinity;
    if (extension > 0) {
      this.#extendedTo = now + extension;
      this.#arm(this.#extendedTo);
      return;
    }
    this.#extendedTo = -Infinity;
    setImmediate(this.#judge, now);
  };

  readonly #judge = (now: number): void => {
    for (let first = this.#heap[0]; first && first.alarmAt <= now; first = this.#heap[0]) {
      this.set(first, Infinity);
      first.onAlarm(now);
    }
    const next = this.#heap[0];
    if (next && next.alarmAt < this.#timerAt) this.#arm(next.alarmAt);
  };

  #siftUp(timer: HeapTimer, from: number): void {
    const heap = this.#heap;
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above]!;
      if (parent.alarmAt <= timer.alarmAt) break;
      this.#place(parent, index);
      index = above;
    }
    this.#place(timer, index);
  }

  #siftDown(timer: HeapTimer, from: number): void {
    const heap = this.#heap;
    let index = from;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1]!.alarmAt < heap[below]!.alarmAt) below++;
      if (heap[below]!.alarmAt >= timer.alarmAt) break;
      this.#place(heap[below]!, index);
      index = below;
    }
    this.#place(timer, index);
  }

  #place(timer: HeapTimer, index: number): void {
    this.#heap[index] = timer;
    timer.alarmIndex = index;
  }
}
