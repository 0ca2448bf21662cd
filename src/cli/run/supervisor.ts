import type { ChildProcess } from 'node:child_process';
import { asError } from '../../errors.js';
import { RunningChild } from './running-child.js';
import { SocketStore } from './socket-store.js';

/** How a reload ended, in words for the operator. */
export type ReloadOutcome = { readonly done: true; readonly pid: number } | { readonly done: false; readonly why: string };

/** The service manager that the command runs under. */
export interface ServiceManager {
  reloading(): void;
  reloaded(): void;
}

/** Runs an application in a process of its own, and replaces that by another one when it is asked to. */
export class RunSupervisor {
  readonly #start: () => ChildProcess;
  readonly #say: (line: string) => void;
  readonly #manager: ServiceManager | undefined;
  readonly #sockets = new SocketStore();
  readonly #exited: Promise<number>;
  #end!: (code: number) => void;
  /** Serves, or will be the first to. */
  #current: RunningChild | undefined;
  /** Not ready yet. */
  #next: RunningChild | undefined;
  /** Those that finish what they have. */
  readonly #leaving = new Set<RunningChild>();
  #reloading: Promise<ReloadOutcome> | undefined;
  /** Asked for while one was under way, which may have read older code. */
  #reloadingAgain: Promise<ReloadOutcome> | undefined;
  #signalled = false;
  /** Exit code of the last process that served. */
  #code = 0;

  /** @param start starts a process with an IPC channel; @param say tells the operator; @param manager is told of reloads */
  constructor(start: () => ChildProcess, say: (line: string) => void, manager?: ServiceManager) {
    this.#manager = manager;
    this.#start = start;
    this.#say = say;
    this.#exited = new Promise(resolve => (this.#end = resolve));
  }

  get current(): RunningChild | undefined {
    return this.#current;
  }

  /** Resolves with the exit code when the last process has ended. Rejects when the first cannot be started. */
  async run(): Promise<number> {
    const first = (this.#current = new RunningChild(this.#start(), this.#sockets));
    first.exited.then(
      code => this.#ended(first, code),
      () => this.#end(1),
    );
    return this.#exited;
  }

  /** Hands a signal on to all processes. */
  signal(signal: NodeJS.Signals): void {
    this.#signalled = true;
    for (const child of [this.#current, this.#next, ...this.#leaving]) child?.process.kill(signal);
  }

  /**
   * Starts the code as it is now beside the old one; when it listens, the old one finishes what it has. One at a time: what is asked for
   * meanwhile is one more, behind it. Never rejects.
   */
  reload(): Promise<ReloadOutcome> {
    if (!this.#reloading) return (this.#reloading = this.#reload().finally(() => (this.#reloading = undefined)));
    return (this.#reloadingAgain ??= this.#reloading.then(() => {
      this.#reloadingAgain = undefined;
      return this.reload();
    }));
  }

  /** A process with the code as it is now; undefined, and told: there is nothing to start. */
  #fresh(): RunningChild | undefined {
    try {
      return new RunningChild(this.#start(), this.#sockets);
    } catch (thrown) {
      this.#say(`reload failed: ${asError(thrown).message}`);
      return undefined;
    }
  }

  async #reload(): Promise<ReloadOutcome> {
    const old = this.#current;
    if (this.#signalled || !old) return { done: false, why: 'it is closing' };
    if (!(await old.ready)) return { done: false, why: 'the application has ended' };
    const fresh = (this.#next = this.#fresh());
    if (!fresh) return { done: false, why: 'the new process cannot be started; the old one goes on' };
    this.#manager?.reloading();
    const ready = await fresh.ready;
    this.#manager?.reloaded();
    this.#next = undefined;
    if (!ready) {
      this.#say('reload failed: the new process has ended before it listened; the old one goes on');
      return { done: false, why: 'the new process has ended before it listened; the old one goes on' };
    }
    this.#current = fresh;
    fresh.exited.then(
      code => this.#ended(fresh, code),
      () => this.#ended(fresh, 1),
    );
    this.#leaving.add(old);
    old.handOver();
    this.#say(`reloaded: process ${fresh.process.pid} has taken over from ${old.process.pid}`);
    return { done: true, pid: fresh.process.pid ?? -1 };
  }

  #ended(child: RunningChild, code: number): void {
    this.#leaving.delete(child);
    if (child === this.#current) {
      this.#current = undefined;
      this.#code = code;
      // A process that has not listened yet has nothing to take over.
      this.#next?.process.kill('SIGTERM');
    }
    if (!this.#current && this.#leaving.size === 0) this.#end(this.#code);
  }
}
