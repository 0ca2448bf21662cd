import { execFile } from 'node:child_process';
import { realClock, type Clock, type ClockTimer } from '../clock.js';

/** Messages to systemd. */
type State = 'READY=1' | 'RELOADING=1' | 'STOPPING=1' | 'WATCHDOG=1';

/** The program that tells it: Node cannot open a datagram socket of the unix kind. */
const PROGRAM = 'systemd-notify';
/** How long one message may take, in milliseconds. */
const WITHIN = 5_000;
/** Messages of the watchdog come at twice the rate that systemd asks for. */
const RATE = 2;

/** Dependencies of a {@link SystemdNotifier}; specs bring their own. */
export interface SystemdParts {
  readonly env: NodeJS.ProcessEnv;
  readonly pid: number;
  readonly clock: Clock;
  /** Told what went wrong, once. */
  warn(message: string, error: unknown): void;
}

/** Tells systemd how a `Type=notify` service is: READY once it listens, RELOADING, STOPPING when it closes, WATCHDOG while it lives. */
export class SystemdNotifier {
  readonly #parts: SystemdParts;
  readonly #env: NodeJS.ProcessEnv;
  /** Milliseconds between two messages of the watchdog; 0: it was not asked for. */
  readonly #every: number;
  /** One message after the other: they must arrive in order. */
  #last: Promise<void> = Promise.resolve();
  #watchdog: ClockTimer | undefined;
  #hasWarned = false;

  /** Undefined where the process is no service of that kind. */
  static from(parts: SystemdParts): SystemdNotifier | undefined {
    return parts.env['NOTIFY_SOCKET'] ? new SystemdNotifier(parts) : undefined;
  }

  private constructor(parts: SystemdParts) {
    const { env, pid } = parts;
    this.#parts = parts;
    this.#env = { ...env };
    const { WATCHDOG_PID, WATCHDOG_USEC } = env;
    const isMeant = WATCHDOG_PID === undefined || WATCHDOG_PID === String(pid);
    const microseconds = isMeant ? Number(WATCHDOG_USEC) : 0;
    this.#every = microseconds > 0 ? microseconds / 1000 / RATE : 0;
    // Workers are not to speak for the service.
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_PID', 'WATCHDOG_USEC']) delete env[name];
  }

  /** The application listens; from here on systemd hears that it lives as long as `isLive` says so. */
  ready(isLive: () => boolean): void {
    void this.#tell('READY=1');
    if (this.#every > 0) this.#watch(isLive);
  }

  /** New code is being started beside the old one. With the time that `Type=notify-reload` asks for. */
  reloading(): void {
    void this.#tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  /** A reload is over: one of both serves. */
  reloaded(): void {
    void this.#tell('READY=1');
  }

  /** The application has begun to close; the watchdog goes on meanwhile. */
  stopping(): void {
    void this.#tell('STOPPING=1');
  }

  /** The application has closed. Resolves when everything was sent; never rejects. */
  end(): Promise<void> {
    this.#watchdog?.cancel();
    this.#watchdog = undefined;
    return this.#last;
  }

  #watch(isLive: () => boolean): void {
    this.#watchdog = this.#parts.clock.after(this.#every, () => {
      if (isLive()) void this.#tell('WATCHDOG=1');
      this.#watch(isLive);
    });
  }

  #tell(state: State, ...facts: readonly string[]): Promise<void> {
    return (this.#last = this.#last.then(
      () =>
        new Promise(resolve => {
          execFile(PROGRAM, [state, ...facts], { env: this.#env, timeout: WITHIN }, error => {
            if (error) this.#failed(state, error);
            resolve();
          });
        }),
    ));
  }

  #failed(state: State, error: Error): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#parts.warn(`systemd was not told ${state}: ${PROGRAM} failed. It comes with systemd; the unit needs NotifyAccess=all`, error);
  }
}

/** That of this process and its real environment. */
export function systemdNotifier(warn: SystemdParts['warn']): SystemdNotifier | undefined {
  return SystemdNotifier.from({ env: process.env, pid: process.pid, clock: realClock, warn });
}
