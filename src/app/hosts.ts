import type { Clock } from '../clock.js';
import type { Host, HostSpec } from '../hosts/host.js';
import { inlineHost } from '../hosts/inline.js';
import { processHost } from '../hosts/process.js';
import type { Ctor, Token } from '../blueprint/types.js';
import type { Logger } from '../logger.js';
import { serveInline, type LoadedWorker } from '../tasks/index.js';
import { duplexPair } from '../wire/link/duplex-pair.js';
import type { Override } from './container/container.js';
import { workerEntry } from './worker-process.js';
import { loadedWorker } from './worker-side.js';

/** The hosts of an application: made when a worker first needs one, ended together. */
export class Hosts {
  readonly #made = new Map<string, Host>();
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #overrides: ReadonlyMap<Token, Override> | undefined;

  /** @param overrides what inline workers get in place of their own providers: for tests */
  constructor(clock: Clock, logger: Logger, overrides?: ReadonlyMap<Token, Override>) {
    this.#clock = clock;
    this.#logger = logger;
    this.#overrides = overrides;
  }

  host(runtime: 'process' | 'inline'): Host {
    let host = this.#made.get(runtime);
    if (!host) this.#made.set(runtime, (host = runtime === 'inline' ? this.#inline() : ownProcesses()));
    return host;
  }

  /** Never rejects. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#made.values()].map(host => host.close()));
  }

  /** The same runtime, container and wire as in a process of its own, at the other end of a pair of streams. */
  #inline(): Host {
    const load = async (_boot: unknown, { cls, name: worker, key }: HostSpec): Promise<LoadedWorker> =>
      loadedWorker(cls as Ctor, this.#logger.child({ worker, key }), this.#clock, this.#overrides);
    return inlineHost({ pair: duplexPair, start: serveInline(load) });
  }
}

function ownProcesses(): Host {
  const { file, flags } = workerEntry();
  return processHost({ entry: file, execArgv: [...process.execArgv, ...flags] });
}
