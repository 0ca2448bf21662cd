import type { ChildProcess } from 'node:child_process';
import { asError } from '../../errors.js';
import { guard, NO_VICTIM } from '../../guard.js';
import type { ChildMessage, ParentMessage, WorkerSource } from '../child/plan.js';
import { exitCodeOf } from '../start-child.js';
import type { SocketStore } from './socket-store.js';

/** One process that runs the application. */
export class RunningChild {
  readonly process: ChildProcess;
  /** The exit code, as a shell tells it. */
  readonly exited: Promise<number>;
  /** Resolves with true when the application listens, with false when the process has ended before. */
  readonly ready: Promise<boolean>;
  /** Its workers; known once it is ready. */
  workers: readonly WorkerSource[] = [];
  readonly #sockets: SocketStore;
  readonly #answers = new Map<number, (message: ChildMessage) => void>();
  #last = 0;

  constructor(child: ChildProcess, sockets: SocketStore) {
    this.process = child;
    this.#sockets = sockets;
    this.exited = exitCodeOf(child).finally(() => {
      sockets.releaseAll(this);
      this.#answers.clear();
    });
    this.exited.catch(() => {});
    this.ready = new Promise(resolve => {
      child.on(
        'message',
        guard(NO_VICTIM, (message: ChildMessage) => {
          if (message.packet === 'ready') {
            this.workers = message.workers;
            resolve(true);
          } else this.#hear(message);
        }),
      );
      this.exited.then(
        () => resolve(false),
        () => resolve(false),
      );
    });
  }

  /** Ends it: another one has taken over. */
  handOver(): void {
    this.#tell({ packet: 'hand-over' });
  }

  /** Replaces the processes of these pools. Resolves with what went wrong. */
  async restart(pools: readonly string[]): Promise<string | undefined> {
    const answer = await this.#ask(id => ({ packet: 'restart', id, pools }));
    return answer?.packet === 'restarted' ? answer.error : 'the application has ended';
  }

  /** Facts of the running application; undefined: it has ended. */
  async look(): Promise<object | undefined> {
    const answer = await this.#ask(id => ({ packet: 'look', id }));
    return answer?.packet === 'seen' ? answer.facts : undefined;
  }

  #ask(message: (id: number) => ParentMessage): Promise<ChildMessage | undefined> {
    const id = ++this.#last;
    const ended = this.exited.then(
      () => undefined,
      () => undefined,
    );
    const answered = new Promise<ChildMessage>(resolve => this.#answers.set(id, resolve));
    this.#tell(message(id));
    return Promise.race([answered, ended]);
  }

  #tell(message: ParentMessage): void {
    // The process may have ended meanwhile.
    if (this.process.connected) this.process.send(message, () => {});
  }

  #hear(message: ChildMessage): void {
    if (message.packet === 'bind') void this.#bind(message.id, message.url, message.mode);
    else if (message.packet === 'release') this.#sockets.release(this, message.url);
    else if (message.packet !== 'ready') {
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
    }
  }

  async #bind(id: number, url: string, mode: number | undefined): Promise<void> {
    try {
      const { handle, address } = await this.#sockets.take(this, url, mode);
      if (!this.process.connected) return this.#sockets.releaseAll(this);
      // Node knows the type, and the declarations do not: a handle, as the cluster module sends it.
      this.process.send({ packet: 'bound', id, url: address.url }, handle as unknown as Parameters<ChildProcess['send']>[1], () => {});
    } catch (thrown) {
      const error = asError(thrown);
      const cause: unknown = error.cause ?? error;
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'EINVAL';
      this.#tell({ packet: 'unbound', id, code, message: asError(cause).message });
    }
  }
}
