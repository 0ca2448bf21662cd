import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkerSettings } from '../../../src/blueprint/types.js';
import { realClock } from '../../../src/clock.js';
import { processHost } from '../../../src/hosts/process.js';
import type { CallSettings } from '../../../src/workers/call/call.js';
import { Owner, Workers, Workforce } from '../../../src/workers/index.js';
import { atEnd, waitFor } from '../../kit/index.js';
import { crew, type Crew } from './crew.js';

type Task<F> = F extends (input: never, ...rest: never[]) => AsyncIterable<infer I>
  ? (input?: unknown, options?: CallSettings) => AsyncIterableIterator<I>
  : F extends (...args: never[]) => infer R
    ? (input?: unknown, options?: CallSettings) => Promise<Awaited<R>>
    : never;

export type CrewClient = { [K in keyof Crew]: Task<Crew[K]> };

/** A workforce of real processes; it ends with the test. */
export class Quarters {
  readonly #host = processHost({ entry: new URL('./crew-worker.js', import.meta.url) });
  readonly blueprint;
  readonly workforce: Workforce;
  readonly workers: Workers;
  readonly client: CrewClient;

  private constructor(settings: Partial<WorkerSettings>) {
    this.blueprint = crew(settings);
    this.workforce = new Workforce([this.blueprint], { clock: realClock, host: () => this.#host });
    this.workers = new Workers(this.workforce);
    this.client = this.clientOf(new Owner('app', 'app'));
  }

  static async open(settings: Partial<WorkerSettings> = {}): Promise<Quarters> {
    const quarters = new Quarters(settings);
    atEnd(() => quarters.close());
    await quarters.workforce.start(quarters.blueprint, undefined, undefined);
    return quarters;
  }

  /** A task that never ends has surely begun: resolves with its promise and the process that it keeps. */
  async loop(options?: CallSettings): Promise<{ call: Promise<void>; pid: number }> {
    const file = this.path();
    const call = this.client.loop(file, options);
    call.catch(() => {});
    const pid = await waitFor(() => Number(readFileSync(file, 'utf8')), { within: '5s', what: 'the loop to begin' });
    return { call, pid };
  }

  /** A new file name, gone with the test. */
  path(): string {
    const folder = mkdtempSync(join(tmpdir(), 'packet-ts-'));
    atEnd(() => rmSync(folder, { recursive: true }));
    return join(folder, 'file');
  }

  clientOf(owner: Owner): CrewClient {
    return this.workforce.client('crew', owner) as unknown as CrewClient;
  }

  get pids(): number[] {
    return this.workers.status().flatMap(({ pid }) => pid ?? []);
  }

  /** Resolves with the process that starts next, when it is ready. */
  nextReady(): Promise<number> {
    return new Promise(resolve => {
      const listening = this.workers.on('ready', ({ pid }) => {
        listening[Symbol.dispose]();
        resolve(pid);
      });
    });
  }

  async close(): Promise<void> {
    await this.workforce.close(2000);
    await this.#host.close();
  }
}
