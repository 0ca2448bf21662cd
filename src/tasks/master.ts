import { UsageError } from '../errors.js';

/** The runtime, as a Master sees it. */
export interface MasterHost {
  send(data: unknown): Promise<void>;
  status(value: unknown): void;
}

/**
 * The way from a worker to its master, unasked. Inject it into a worker, its providers or its connections.
 * @example
 * constructor(private readonly master: Master) {}
 * @Task() async warm() { await this.master.send({ warmed: 120 }); }
 */
export class Master {
  readonly #port: MasterHost | undefined;

  constructor(port?: MasterHost) {
    this.#port = port;
  }

  /**
   * Sends to the proxy's `@OnData`, or to `workers.on('message')` where there is no proxy. It leaves at once, also while a task
   * awaits nothing. Resolves when there is room for one more, rejects with ClosingError where the link is gone before it was sent.
   * Throws NotCloneableError, MessageTooLargeError, and LimitError where four times `maxMessageSize` waits already.
   */
  send(data: unknown): Promise<void> {
    return this.#there().send(data);
  }

  /** Sets the value that `workers.status()` shows of this process; only the latest counts. Throws like {@link Master.send}. */
  status(value: unknown): void {
    this.#there().status(value);
  }

  #there(): MasterHost {
    if (!this.#port) throw new UsageError('Master exists in workers only: inject it there');
    return this.#port;
  }
}
