import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InjectWorker, Module, Worker, type ExitReason, type Logger, type WorkerClient, type WorkerOptions, type Workers } from 'packet-ts';
import { createTestApp } from 'packet-ts/testing';
import { CaseWorker } from '../../fixtures/workers/case.worker.js';
import { atEnd, soon, waitFor } from '../../kit/index.js';

type Client = WorkerClient<CaseWorker>;
type TestApp = Awaited<ReturnType<ReturnType<typeof createTestApp>['start']>>;

export interface SceneOptions extends WorkerOptions {
  /** Where its workers run. Default 'process'. */
  readonly where?: 'process' | 'thread' | 'inline';
  /** 'fake': time stands still until `scene.app.clock.advance()`. */
  readonly clock?: 'real' | 'fake';
  readonly logger?: Logger;
}

/** A call that goes on until it is let go. */
export interface Held {
  readonly call: Promise<number>;
  readonly pid: number;
  release(): void;
}

/** The workers of one case: an application with `CaseWorker` under the options of that case. It ends with the test. */
export class Scene {
  readonly folder = mkdtempSync(join(tmpdir(), 'packet-case-'));
  /** The worker's class, for what takes one. */
  readonly worker: typeof CaseWorker;
  readonly exits: { readonly pid: number; readonly why: ExitReason }[] = [];
  /** When processes were started, in ms. */
  readonly starts: number[] = [];
  readonly file = this.path('journal');
  #app!: TestApp;
  #client!: Client;
  #faked = false;

  private constructor(options: WorkerOptions) {
    class Worked extends CaseWorker {}
    Worker('case_worker', { source: new URL('../../fixtures/workers/case.worker.js', import.meta.url).href, ...options })(Worked);
    this.worker = Worked;
  }

  static async open({ where = 'process', clock = 'real', logger, ...options }: SceneOptions = {}): Promise<Scene> {
    const scene = new Scene(options);
    class Holder {
      constructor(readonly client: Client) {}
    }
    InjectWorker(scene.worker)(Holder, undefined, 0);
    class AppModule {}
    Module({ workers: [scene.worker], providers: [Holder] })(AppModule);
    atEnd(() => rmSync(scene.folder, { recursive: true }));
    scene.#app = await createTestApp(AppModule).start({ runtime: where, clock, ...(logger && { logger }) });
    atEnd(() => scene.close());
    scene.#faked = clock === 'fake';
    scene.workers.on('exit', ({ pid }, why) => scene.exits.push({ pid, why: why }));
    scene.workers.on('start', () => scene.starts.push(performance.now()));
    scene.#client = scene.#app.get(Holder).client;
    return scene;
  }

  /** Ends it; time moves as far as that takes. */
  async close(): ReturnType<TestApp['close']> {
    const closing = this.#app.close({ timeout: '2s' });
    if (this.#faked) await this.#app.clock.advance('30s');
    return closing;
  }

  get app(): TestApp {
    return this.#app;
  }

  get client(): Client {
    return this.#client;
  }

  get workers(): Workers {
    return this.#app.workers;
  }

  /** Of the processes that take calls. */
  get pids(): number[] {
    return this.workers.status().flatMap(({ pid, state }) => (state === 'ready' ? (pid ?? []) : []));
  }

  get queued(): number {
    return this.workers.status().reduce((sum, row) => sum + row.queued, 0);
  }

  get running(): number {
    return this.workers.status().reduce((sum, row) => sum + row.running, 0);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  touch(name: string): string {
    writeFileSync(this.path(name), '');
    return this.path(name);
  }

  remove(name: string): void {
    rmSync(this.path(name));
  }

  /** What tasks have written down. */
  get journal(): readonly string[] {
    return existsSync(this.file) ? readFileSync(this.file, 'utf8').split('\n').slice(0, -1) : [];
  }

  /** Calls that write `line` when they begin. */
  note(line: string | number, options?: Parameters<Client['note']>[1] & { spin?: number }): Promise<number> {
    const { spin = 0, ...rest } = options ?? {};
    return this.client.note({ file: this.file, line: String(line), spin }, rest);
  }

  /** A call that has begun and lasts until it is let go. */
  async hold(): Promise<Held> {
    let release!: () => void;
    const released = new Promise<void>(resolve => (release = resolve));
    // oxlint-disable-next-line require-yield -- its end is all that it says
    async function* until(): AsyncGenerator<never> {
      await released;
    }
    let call!: Promise<number>;
    const pid = await new Promise<number>((resolve, reject) => {
      call = this.client.hold(undefined, { send: until(), on: { begun: resolve } });
      call.catch(reject);
    });
    return { call, pid, release };
  }

  /** A call that has begun and never ends: `loop` holds its whole process, `hang` does not. */
  async begun(task: 'loop' | 'hang', options: Parameters<Client['loop']>[1] = {}): Promise<{ call: Promise<void>; pid: number }> {
    let call!: Promise<void>;
    const pid = await new Promise<number>((resolve, reject) => {
      call = this.client[task](undefined, { ...options, on: { begun: resolve } });
      call.catch(reject);
    });
    return { call, pid };
  }

  /** How that process ended. */
  async exitOf(pid: number): Promise<ExitReason> {
    return (await waitFor(() => this.exits.find(exit => exit.pid === pid), { within: '5s', what: `the exit of ${pid}` })).why;
  }

  /** The next process that becomes ready. */
  nextReady(): Promise<number> {
    const ready = new Promise<number>(resolve => {
      const listening = this.workers.on('ready', ({ pid }) => {
        listening[Symbol.dispose]();
        resolve(pid);
      });
    });
    return soon(ready, { within: '5s', what: 'the next process to be ready' });
  }

  /** What a signal that kills gives its caller. */
  kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
    process.kill(pid, signal);
  }
}

/** What a promise rejects with. */
export async function failure<E = Error & Record<string, unknown>>(promise: PromiseLike<unknown>): Promise<E> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error as E;
  }
  throw new Error(`it was expected to reject, and gave ${String(value)}`);
}
