import type { WorkerBlueprint, WorkerSettings } from '../../../src/blueprint/types.js';
import type { CallSettings } from '../../../src/workers/call/call.js';
import { Owner } from '../../../src/workers/call/owner.js';
import { Workforce } from '../../../src/workers/workforce.js';
import type { BuiltProxy } from '../../../src/workers/proxy/proxy-gate.js';
import type { Ctor } from '../../../src/decorators/ctor.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';
import { blueprint } from './blueprint.js';
import { FakeHost, type Script } from './fake-host.js';

export interface FixtureClient {
  run(input?: unknown, options?: CallSettings): Promise<unknown>;
  text(input: unknown, options?: CallSettings): Promise<string>;
  nothing(): Promise<void>;
  again(input?: unknown, options?: CallSettings): Promise<unknown>;
  count(input?: unknown, options?: CallSettings): AsyncIterableIterator<number>;
  countAgain(input?: unknown, options?: CallSettings): AsyncIterableIterator<number>;
  take(input: unknown, options: CallSettings): Promise<unknown>;
  tick(input?: unknown, options?: CallSettings): Promise<unknown>;
  quick(input?: unknown, options?: CallSettings): Promise<unknown>;
  helper(): Promise<unknown>;
  ask(data: unknown, options?: CallSettings): Promise<unknown>;
  tell(data: unknown, options?: CallSettings): void;
}

/** A workforce of one worker class over a scripted host and a clock moved by hand. */
export class Rig {
  readonly clock = new FakeClock();
  readonly host: FakeHost;
  readonly worker: WorkerBlueprint;
  readonly workforce: Workforce;
  readonly owner = new Owner('app', 'app');

  constructor(
    settings: Partial<WorkerSettings> = {},
    script: Script = {},
    more: Partial<WorkerBlueprint> = {},
    proxy?: (cls: Ctor) => BuiltProxy,
    others: WorkerBlueprint[] = [],
    host = new FakeHost(script),
  ) {
    this.host = host;
    this.worker = blueprint(settings, more);
    this.workforce = new Workforce([this.worker, ...others], { clock: this.clock, host: () => this.host, ...(proxy && { proxy }) });
  }

  static async started(...given: ConstructorParameters<typeof Rig>): Promise<Rig> {
    const rig = new Rig(...given);
    await rig.start();
    return rig;
  }

  async start(key?: string, options?: unknown): Promise<void> {
    await this.workforce.start(this.worker, key, options);
  }

  client(owner: Owner = this.owner, key?: string): FixtureClient {
    return this.workforce.client('fixture', owner, key) as unknown as FixtureClient;
  }

  /** Lets everything that is on its way arrive. */
  async settle(): Promise<void> {
    await this.clock.advance(0);
    await this.clock.advance(0);
  }

  async close(): Promise<void> {
    const closing = this.workforce.close(1);
    await this.clock.advance(20_000);
    await closing;
  }
}

/** What a promise rejects with. */
export async function rejection<E extends Error = Error & Record<string, unknown>>(promise: PromiseLike<unknown>): Promise<E> {
  try {
    await promise;
  } catch (error) {
    return error as E;
  }
  throw new Error('it was expected to reject');
}
