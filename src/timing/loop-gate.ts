import { monotonicNow, nextTick, queueMicrotask, setImmediate, setTimeout } from '../system-timers.js';

/** Milliseconds of a turn of the event loop that one connection, or all that wait at the gate, may take before others get theirs. */
export const SLICE = 10;
/** Received bytes from which on what they make may hold the event loop for long: JSON costs up to a microsecond a byte. */
export const DEAR_FROM = 16 * 1024;
/** The longest that the gate stays closed, in milliseconds: one stop in a debugger must not close it for minutes. */
const LONGEST = 2_000;

/** For how long after a turn of more than a slice the processor's time is looked at, in milliseconds. */
const ALERT = 10_000;
/** Milliseconds between two looks at the processor's time, which cost some microseconds each: what a turn is blamed for too much at most. */
const FRESH = 5;

/** Milliseconds for which this process had a processor; where Node tells, this thread of it. */
function processorTime(): number {
  const { user, system } = (process as Partial<ThreadTime>).threadCpuUsage?.() ?? process.cpuUsage();
  return (user + system) / 1000;
}

/** From Node 22.19 and 23.9 on. */
interface ThreadTime {
  threadCpuUsage(): NodeJS.CpuUsage;
}

/** Work that waits at the gate. */
interface Waiting {
  readonly run: () => void;
  /** Goes on in promises that `run` resolves: nothing else passes with it, so that its time is known before the next one begins. */
  readonly isAlone: boolean;
}

/**
 * Where work waits that may hold the event loop for long: large messages, and everything of connections that have held it before.
 * Peers take turns, and a turn of the loop ends with the first that takes more than its slice. What was taken beyond the slice is owed:
 * the gate stays closed for as long, so that all of them together, however many they are, leave half of the loop to everybody else.
 *
 * Only time with a processor counts: on a busy machine a process waits for one, and any turn may take long by the clock. To look at it in
 * each turn would be dear, so the first long turn in a while only sets the gate on the alert.
 */
export class LoopGate {
  /** By peer group; the next to pass comes first. */
  readonly #groups = new Map<string, Waiting[]>();
  /** How many wait. */
  #count = 0;
  /** Work that came while other work passes: for the next turn. */
  #later: [group: string, waiting: Waiting][] | undefined;
  #opensAt = 0;
  /** A look at the gate is due. */
  #isDue = false;
  /** Until when the processor's time is looked at. */
  #alertUntil = 0;
  /** The last look at it, and what it was. */
  #lookedAt = -Infinity;
  #processorTime = 0;
  readonly #readProcessorTime: () => number;

  /** @param readProcessorTime milliseconds of a processor that were spent so far */
  constructor(readProcessorTime: () => number = processorTime) {
    this.#readProcessorTime = readProcessorTime;
  }

  /** Runs it when its turn has come, never at once. It is not expected to throw. */
  enter(group: string, run: () => void, isAlone = false): void {
    if (this.#later) this.#later.push([group, { run, isAlone }]);
    else this.#add(group, { run, isAlone });
    this.#look();
  }

  /** Resolves when its turn has come. What its continuations do without waiting for anything else is within the turn. */
  pass(group: string): Promise<void> {
    return new Promise(resolve => this.enter(group, resolve, true));
  }

  /** Begins work that does not wait here. Returns the time, by which `isHeldSince` and `owes` know it again. */
  begin(): number {
    const now = monotonicNow();
    if (now < this.#alertUntil && now - this.#lookedAt > FRESH) {
      this.#lookedAt = now;
      this.#processorTime = this.#readProcessorTime();
    }
    return now;
  }

  /** Whether work that began then, and is done, has held the loop for more than a slice. */
  isHeldSince(begun: number): boolean {
    return this.#excess(begun) > 0;
  }

  /** As `isHeldSince`; what it took beyond the slice is owed: nothing passes for as long. */
  owes(begun: number): boolean {
    const excess = this.#excess(begun);
    if (excess <= 0) return false;
    const now = monotonicNow();
    this.#opensAt = Math.min(now + LONGEST, Math.max(now, this.#opensAt) + excess);
    return true;
  }

  /** Milliseconds beyond a slice that work has had a processor for, since `begin()` returned this. */
  #excess(begun: number): number {
    const now = monotonicNow();
    if (now - begun <= SLICE) return 0;
    this.#alertUntil = now + ALERT;
    const isKnown = this.#lookedAt >= begun - FRESH;
    return isKnown ? Math.min(now - begun, this.#readProcessorTime() - this.#processorTime) - SLICE : 0;
  }

  #add(group: string, work: Waiting): void {
    this.#count++;
    const waiting = this.#groups.get(group);
    if (waiting) waiting.push(work);
    else this.#groups.set(group, [work]);
  }

  #look(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    // A gate that has never been closed is not worth a look at the clock.
    const closed = this.#opensAt === 0 ? 0 : this.#opensAt - monotonicNow();
    if (closed > 0) setTimeout(this.#open, closed);
    else {
      this.#opensAt = 0;
      setImmediate(this.#open);
    }
  }

  readonly #open = (): void => {
    const since = this.begin();
    if (since < this.#opensAt) {
      this.#isDue = false;
      this.#look();
      return;
    }
    this.#later = [];
    try {
      while (this.#count > 0) {
        const { run, isAlone } = this.#next();
        run();
        if (isAlone || monotonicNow() - since > SLICE) break;
      }
    } finally {
      // From a microtask, a tick comes after all microtasks.
      queueMicrotask(() => nextTick(this.#shut, since));
    }
  };

  readonly #shut = (since: number): void => {
    const later = this.#later!;
    this.#later = undefined;
    for (const [group, waiting] of later) this.#add(group, waiting);
    this.owes(since);
    this.#isDue = false;
    if (this.#count > 0) this.#look();
  };

  /** The oldest of the group whose turn it is. */
  #next(): Waiting {
    // A group is kept only while something of it waits.
    const [group, waiting] = this.#groups.entries().next().value!;
    const first = waiting.shift()!;
    this.#count--;
    this.#groups.delete(group);
    if (waiting.length > 0) this.#groups.set(group, waiting);
    return first;
  }
}

/** The gate of this thread's event loop, which everything in it shares. */
export const loopGate = new LoopGate();
