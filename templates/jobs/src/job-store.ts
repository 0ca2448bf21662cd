import { randomUUID } from 'node:crypto';
import { InjectWorker, injectable, type WorkerClient } from 'packet-ts';
import { Reports } from './report.worker.js';

/** What is known of one job. */
export interface Job {
  readonly id: string;
  state: 'waiting' | 'running' | 'done' | 'failed';
  /** Percent. */
  progress: number;
  result?: string;
  error?: string;
}

/** The most jobs that are remembered; the oldest finished ones are forgotten first. */
const MOST = 1000;

/** Jobs and their results, in memory: they end with the process. Its client belongs to the application, so a job outlives its request. */
@injectable()
export class JobStore {
  readonly #jobs = new Map<string, Job>();
  readonly #unfinished = new Map<string, Promise<void>>();

  constructor(@InjectWorker(Reports) private readonly reports: WorkerClient<Reports>) {}

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** The same, once it is done or has failed. */
  async finished(id: string): Promise<Job | undefined> {
    await this.#unfinished.get(id);
    return this.get(id);
  }

  /** Starts a job; it waits in the worker's queue until a process is free. Undefined: too many are unfinished. */
  add(input: { text: string; rounds: number }): Job | undefined {
    if (!this.#makeRoom()) return undefined;
    const job: Job = { id: randomUUID(), state: 'waiting', progress: 0 };
    this.#jobs.set(job.id, job);
    this.#unfinished.set(
      job.id,
      this.#run(job, input).finally(() => this.#unfinished.delete(job.id)),
    );
    return job;
  }

  async #run(job: Job, input: { text: string; rounds: number }): Promise<void> {
    const onProgress = (percent: number): void => void Object.assign(job, { state: 'running', progress: percent });
    try {
      const result = await this.reports.digest(input, { on: { progress: onProgress } });
      Object.assign(job, { state: 'done', progress: 100, result });
    } catch (error) {
      Object.assign(job, { state: 'failed', error: error instanceof Error ? error.message : String(error) });
    }
  }

  #makeRoom(): boolean {
    if (this.#jobs.size < MOST) return true;
    for (const { id, state } of this.#jobs.values()) {
      if (state === 'done' || state === 'failed') return this.#jobs.delete(id);
    }
    return false;
  }
}
