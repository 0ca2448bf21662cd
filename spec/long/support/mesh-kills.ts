import { WorkerCrashedError, type WorkerClient } from '../../../src/index.js';
import { atEnd, spawnScript, waitFor, type Script } from '../../kit/index.js';
import { Random } from '../../kit/random.js';
import { JournalRig } from '../../mesh/support/journal-rig.js';
import type { JournalWorker } from '../../mesh/support/journal.worker.js';

const ROLES = ['worker', 'host', 'caller', 'server'] as const;
type Role = (typeof ROLES)[number];

/** What became of all calls. */
export interface Outcome {
  readonly kills: Record<Role, number>;
  done: number;
  /** Calls that failed as a lost or killed process makes them fail. */
  readonly crashed: Map<string, WorkerCrashedError>;
  /** Calls that failed in any other way. */
  readonly failed: Map<string, Error>;
  /** Calls that have not settled at the end. */
  hung: number;
  /** Calls that were begun more than once, though their task may not be. */
  twice: string[];
}

/**
 * Calls under way from this process while callers, hosts, workers and the server are killed at random; every host writes down what it begins.
 * @param kills how many
 */
export class MeshKills {
  readonly #rig: JournalRig;
  readonly #random: Random;
  readonly #hosts = new Map<string, Script>();
  #caller: Script | undefined;
  #journal!: WorkerClient<JournalWorker>;
  #lastHost = 0;
  #lastCall = 0;
  #isOn = true;
  readonly #pending = new Set<string>();
  readonly outcome: Outcome = {
    kills: { worker: 0, host: 0, caller: 0, server: 0 },
    done: 0,
    crashed: new Map(),
    failed: new Map(),
    hung: 0,
    twice: [],
  };

  private constructor(rig: JournalRig, seed: number) {
    this.#rig = rig;
    this.#random = new Random(seed);
  }

  static async run(kills: number, seed: number): Promise<Outcome> {
    const harness = new MeshKills(await JournalRig.open(), seed);
    await harness.#start();
    const runners = Array.from({ length: 24 }, () => harness.#call());
    for (let i = 0; i < kills; i++) {
      await harness.#kill(ROLES[harness.#random.below(ROLES.length)]!);
      await harness.#progress();
    }
    harness.#isOn = false;
    // A call that was just made has its own time limit; nothing takes longer.
    await waitFor(() => harness.#pending.size === 0, { within: '40s', what: 'all calls to settle' }).catch(() => {});
    harness.outcome.hung = harness.#pending.size;
    if (harness.outcome.hung === 0) await Promise.all(runners);
    harness.outcome.twice = harness.#rig.twice.filter(id => id.startsWith('run'));
    return harness.outcome;
  }

  async #start(): Promise<void> {
    await this.#startHost();
    await this.#startHost();
    this.#startCaller();
    this.#journal = await this.#rig.caller();
    atEnd(() => this.#caller?.kill('SIGKILL'));
  }

  async #startHost(): Promise<void> {
    const name = `host-${++this.#lastHost}`;
    this.#hosts.set(name, await this.#rig.host(name));
  }

  #startCaller(): void {
    const file = new URL('../../mesh/support/journal-caller.main.js', import.meta.url);
    this.#caller = spawnScript(file, [this.#rig.server.url], { env: { MESH_JOURNAL: this.#rig.file } });
  }

  async #call(): Promise<void> {
    while (this.#isOn) {
      const isRepeatable = this.#random.below(3) === 0;
      const id = `${isRepeatable ? 'again' : 'run'}${++this.#lastCall}`;
      const job = { id, ms: this.#random.below(30) };
      this.#pending.add(id);
      try {
        await (isRepeatable ? this.#journal.again(job) : this.#journal.run(job));
        this.outcome.done++;
      } catch (error) {
        if (error instanceof WorkerCrashedError) this.outcome.crashed.set(id, error);
        else this.outcome.failed.set(id, error as Error);
      }
      this.#pending.delete(id);
    }
  }

  async #kill(role: Role): Promise<void> {
    this.outcome.kills[role]++;
    switch (role) {
      case 'worker': {
        const pids = this.#rig.app.workers.status().flatMap(({ pid }) => pid ?? []);
        const pid = pids[this.#random.below(pids.length || 1)];
        if (pid !== undefined) killIfThere(pid);
        return;
      }
      case 'host': {
        const [name, script] = [...this.#hosts][this.#random.below(this.#hosts.size)]!;
        this.#hosts.delete(name);
        script.kill('SIGKILL');
        return this.#startHost();
      }
      case 'caller':
        this.#caller?.kill('SIGKILL');
        return this.#startCaller();
      case 'server':
        await this.#rig.server.kill();
        await new Promise(resolve => AbortSignal.timeout(this.#random.below(500)).addEventListener('abort', resolve));
        return this.#rig.restartServer();
    }
  }

  /** Calls end again. */
  async #progress(): Promise<void> {
    const { done } = this.outcome;
    await waitFor(() => this.outcome.done > done + 50, { within: '30s', what: 'calls to go on' });
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was killed with its host a moment ago.
  }
}
