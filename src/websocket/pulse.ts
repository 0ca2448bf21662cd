import { clearInterval, setInterval } from '../system-timers.js';

/** Somebody who may have died without a word. */
export interface Beating {
  /** Called every period. */
  beat(): void;
}

const PULSES = new Map<number, Pulse>();

/** One timer for all connections that are looked after at the same interval. */
class Pulse {
  readonly #period: number;
  readonly #members = new Set<Beating>();
  #timer: NodeJS.Timeout | undefined;

  constructor(period: number) {
    this.#period = period;
  }

  add(member: Beating): void {
    this.#members.add(member);
    this.#timer ??= setInterval(() => {
      for (const each of this.#members) each.beat();
    }, this.#period).unref();
  }

  delete(member: Beating): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    PULSES.delete(this.#period);
  }
}

/** Calls `beat` every `period` ms until disposed; Infinity: never. */
export function keepBeating(member: Beating, period: number): Disposable {
  if (period === Infinity) return { [Symbol.dispose]: () => {} };
  let pulse = PULSES.get(period);
  if (!pulse) PULSES.set(period, (pulse = new Pulse(period)));
  const joined = pulse;
  joined.add(member);
  return { [Symbol.dispose]: () => joined.delete(member) };
}
