import { isDebugged } from '../process/debugged.js';
import type { WorkerSettings } from '../../blueprint/types.js';
import type { Clock, ClockTimer } from '../../clock.js';
import type { PooledProcess } from '../process/pooled-process.js';
import * as supervisor from './supervisor.js';

/** How often the memory of busy processes is looked at, where there is a limit. Milliseconds. */
const MEMORY_LOOK = 250;

/** The processes of a pool, as their watch sees them. */
export interface MemoryWatchHost {
  readonly settings: WorkerSettings;
  readonly clock: Clock;
  /** Every process that is not dead. */
  readonly all: readonly PooledProcess[];
  /** Those that take calls. */
  readonly ready: readonly PooledProcess[];
  load(): supervisor.PoolLoad;
  /** A process is above `maxMemory`. */
  recycle(process: PooledProcess): void;
}

/** Looks after running processes: whether they still answer, how large they are, which of them have had nothing to do for too long. */
export class MemoryWatch {
  readonly #desk: MemoryWatchHost;
  #beat: ClockTimer | undefined;
  #memory: ClockTimer | undefined;
  #shrink: ClockTimer | undefined;
  #stopped = false;

  constructor(desk: MemoryWatchHost) {
    this.#desk = desk;
  }

  /** A process is ready. */
  start(): void {
    const { settings, clock } = this.#desk;
    const { heartbeat, maxMemory } = settings;
    if (this.#stopped) return;
    if (heartbeat && !this.#beat && !isDebugged(settings)) this.#beat = clock.after(heartbeat.every, this.#onBeat);
    if (maxMemory > 0 && !this.#memory) this.#memory = clock.after(MEMORY_LOOK, this.#onMemory);
  }

  /** A call of that process is over. */
  onCallOver(process: PooledProcess): void {
    if (this.#desk.settings.maxMemory > 0) this.#checkMemory(process);
  }

  /** A process may have nothing to do: those that have not for `idleTimeout` go, the longest idle first. */
  onIdle(): void {
    const { settings, clock, ready } = this.#desk;
    const { idleTimeout, minWorkers } = settings;
    if (this.#shrink || this.#stopped || idleTimeout === 0 || ready.length <= minWorkers) return;
    const since = Math.min(...ready.filter(process => process.isIdle).map(process => process.idleSince));
    if (since === Infinity) return;
    this.#shrink = clock.after(Math.max(1, since + idleTimeout - clock.now()), () => {
      this.#shrink = undefined;
      this.#dismissIdle(clock.now() - idleTimeout);
      this.onIdle();
    });
  }

  /** All processes are told to go. */
  stop(): void {
    this.#stopped = true;
    for (const timer of [this.#shrink, this.#beat, this.#memory]) timer?.cancel();
  }

  readonly #onBeat = (): void => {
    this.#beat = undefined;
    const { settings, all } = this.#desk;
    const { heartbeat } = settings;
    if (!heartbeat) return;
    for (const process of [...all]) {
      if (process.state === 'ready' || process.state === 'draining')
        process.heartbeat.beat(process.inFlight.size === 0 && !process.profiles.active, Math.ceil(heartbeat.grace / heartbeat.every));
    }
    if (all.length > 0) this.start();
  };

  readonly #onMemory = (): void => {
    this.#memory = undefined;
    const { all } = this.#desk;
    for (const process of [...all]) if (process.inFlight.size > 0) this.#checkMemory(process);
    if (all.length > 0) this.start();
  };

  #checkMemory(process: PooledProcess): void {
    // A heap snapshot takes memory that the process gives back.
    if ((process.state !== 'ready' && process.state !== 'draining') || process.profiles.active) return;
    const verdict = supervisor.onMemory(this.#desk.settings.maxMemory, process.heartbeat.recentRss());
    if (verdict === 'kill') process.kill('memory');
    else if (verdict === 'recycle') this.#desk.recycle(process);
  }

  #dismissIdle(before: number): void {
    const { settings, clock, ready, load } = this.#desk;
    const idle = ready
      .filter(process => process.isIdle && !process.profiles.active && process.idleSince <= before)
      .sort((a, b) => a.idleSince - b.idleSince);
    const surplus = supervisor.dispensable(settings, load());
    for (const process of idle.slice(0, surplus)) process.stop();
    // Spare ones that stay are asked again after another idleTimeout.
    for (const process of idle.slice(surplus)) process.idleSince = clock.now();
  }
}
