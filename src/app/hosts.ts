import type { Clock } from '../clock.js';
import type { Host, HostSpec } from '../hosts/host.js';
import { hostNamed, type HostContext } from '../hosts/registry.js';
import '../hosts/inline.js';
import '../hosts/process.js';
import '../hosts/thread/thread.js';
import type { Ctor, Token } from '../blueprint/types.js';
import { UsageError } from '../errors.js';
import { serveInline, type LoadedWorker } from '../tasks/index.js';
import { duplexPair } from '../wire/link/duplex-pair.js';
import type { Override } from './container/container.js';
import { workerEntry } from './worker-process.js';
import { loadedWorker } from './worker/worker-side.js';

/** The hosts of an application: each is made when a worker first needs it, all are closed together. */
export class Hosts {
  readonly #made = new Map<string, Host>();
  readonly #context: HostContext;

  /** @param overrides what workers that share the master get in place of their own providers: for tests */
  constructor(clock: Clock, overrides?: ReadonlyMap<Token, Override>) {
    // Runs the same runtime, container and wire as a process of its own, at the other end of a pair of streams.
    const load = async (_boot: unknown, { cls }: HostSpec): Promise<LoadedWorker> => loadedWorker(cls as Ctor, clock, overrides);
    this.#context = { entry: workerEntry, inline: { pair: duplexPair, start: serveInline(load) } };
  }

  /** The host of a runtime. Throws UsageError where none is registered. */
  host(runtime: string): Host {
    const made = this.#made.get(runtime);
    if (made) return made;
    const declaration = hostNamed(runtime);
    if (!declaration) throw new UsageError(`no host is registered for the runtime '${runtime}'`);
    const host = declaration.start(this.#context);
    this.#made.set(runtime, host);
    return host;
  }

  /** Never rejects. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#made.values()].map(host => host.close()));
  }
}
