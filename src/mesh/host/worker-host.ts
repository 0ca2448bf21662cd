import type { WorkerBlueprint } from '../../blueprint/types.js';
import { asError, WorkerUnavailableError } from '../../errors.js';
import { PROTOCOL_VERSION } from '../../wire/link/protocol.js';
import type { Pool } from '../../workers/pool/pool.js';
import type { Workforce } from '../../workers/workforce.js';
import type { ClockTimer } from '../../clock.js';
import type { MeshNode } from '../link/mesh-node.js';
import type { MeshMessage } from '../mesh-types.js';
import { encodePresence } from '../presence.js';
import { lastToken, RESTART, WHO } from '../subjects.js';
import { differenceOf, signatureOf } from '../signature.js';
import { HostSession, type HostSessionOwner } from './host-session.js';
import type { RemoteBoot } from './remote-messages.js';

/** Milliseconds between two announcements: callers forget what they did not hear of for longer. */
const ANNOUNCE_EVERY = 30_000;

/** Links that one host takes at most: one costs 20 KB at rest. */
const MOST_SESSIONS = 10_000;

/** Token of no caller: publishing there shows whether it is permitted. */
const PROBE = 'probe';

export interface WorkerHostOptions {
  readonly name: string;
  readonly zone: string | undefined;
  readonly node: MeshNode;
  readonly workforce: Workforce;
  /** The workers that it offers. */
  readonly workers: readonly WorkerBlueprint[];
}

/** Offers the pools of this process to the mesh. */
export class WorkerHost {
  readonly name: string;
  readonly #options: WorkerHostOptions;
  readonly #sessions = new Set<HostSession>();
  #timer: ClockTimer | undefined;
  #isLeaving = false;

  constructor(options: WorkerHostOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Links of callers. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Calls of callers that are not over. */
  get calls(): number {
    return [...this.#sessions].reduce((sum, { calls }) => sum + calls, 0);
  }

  /** Subscribes and announces. @throws MeshError naming the subject that the server refuses. */
  async start(): Promise<void> {
    const { node, workers, workforce } = this.#options;
    const { subjects } = node;
    for (const worker of workers) {
      await node.subscribe(subjects.toHost(worker.name, node.id, '*'), message => {
        const token = lastToken(message.subject);
        if (token === RESTART) void this.#restart(worker, message);
        else if (token === WHO) this.#answer(worker, message);
        else node.receive(message, (session, prefix) => this.#accept(worker, session, prefix));
      });
      await node.subscribe(subjects.who(worker.name), message => this.#answer(worker, message));
    }
    for (const worker of workers) await node.mustPublish(subjects.here(worker.name));
    await node.mustPublish(subjects.toCaller(PROBE, PROBE));
    workforce.on('exit', (process, why) => {
      const { name, key } = process.handle;
      for (const session of this.#sessionsOf(name, key)) session.tellEnd(process, why);
    });
    workforce.on('message', (value, { handle }) => this.#passOn(value, handle.name, handle.key));
    node.onResumed(() => this.#announce());
    this.#announce();
    this.#announceAgain();
  }

  /** Takes no more callers, lets those it has finish, within `timeout` milliseconds (0: however long). False: some were cut off. */
  async drain(timeout: number): Promise<boolean> {
    this.#isLeaving = true;
    this.#timer?.cancel();
    this.#announce();
    const { clock } = this.#options.node;
    const sessions = [...this.#sessions];
    for (const session of sessions) session.leave();
    const finished = Promise.all(sessions.map(({ gone }) => gone)).then(() => true);
    if (timeout === 0) return finished;
    let timer: ClockTimer | undefined;
    const late = new Promise<boolean>(resolve => (timer = clock.after(timeout, () => resolve(false), true)));
    const isWhole = await Promise.race([finished, late]);
    timer?.cancel();
    return isWhole;
  }

  /** Breaks off what is left. */
  close(): void {
    this.#timer?.cancel();
    for (const session of [...this.#sessions]) session.destroy();
  }

  #accept(worker: WorkerBlueprint, id: string, prefix: string): ReturnType<MeshNode['accept']> | undefined {
    if (this.#isLeaving || this.#sessions.size >= MOST_SESSIONS) return undefined;
    const { node } = this.#options;
    const stream = node.accept(id, worker.name, prefix);
    const host: HostSessionOwner = {
      clock: node.clock,
      name: this.name,
      open: boot => this.#open(worker, boot),
      onEnded: session => this.#ended(session),
    };
    this.#sessions.add(new HostSession(worker, stream, host));
    return stream;
  }

  async #open(worker: WorkerBlueprint, boot: RemoteBoot): Promise<Pool> {
    const { workforce } = this.#options;
    const { key, options, signature } = boot;
    const difference = signature && differenceOf(signature, signatureOf(worker));
    if (difference !== undefined) throw new WorkerUnavailableError(worker.name, key, `host ${this.name}: ${difference}`);
    await workforce.start(worker, key, options);
    const pool = workforce.get(worker, key);
    if (!pool) throw new WorkerUnavailableError(worker.name, key, `host ${this.name} stopped it`);
    return pool;
  }

  #ended(session: HostSession): void {
    this.#sessions.delete(session);
    const { pool, worker, key } = session;
    // Started for callers, and none of them is left, nor about to be there.
    const isOwn = key === undefined && worker.settings.autoLoad;
    if (!pool || isOwn || this.#isLeaving || this.#sessionsOf(worker.name, key).length > 0) return;
    this.#options.workforce.stop(pool.handle, undefined).catch(() => {});
  }

  /** Sessions of that worker and key, those included that wait for its start. */
  #sessionsOf(name: string, key: string | undefined): HostSession[] {
    return [...this.#sessions].filter(session => session.worker.name === name && session.key === key);
  }

  /** Unasked messages go to all callers: each has a proxy, or listeners, of its own. */
  #passOn(value: unknown, name: string, key: string | undefined): Promise<unknown> {
    return Promise.all(this.#sessionsOf(name, key).map(session => session.tell(value)));
  }

  /** Replaces the processes of one pool, one after the other; the answer is empty, or says why it could not be done. */
  async #restart(worker: WorkerBlueprint, message: MeshMessage): Promise<void> {
    const { node, workforce } = this.#options;
    const why = await restarted(workforce.get(worker, keyIn(message.data))).then(
      () => '',
      (error: unknown) => asError(error).message,
    );
    node.answer(message, Buffer.from(why));
  }

  #presence(worker: WorkerBlueprint): Uint8Array {
    const { node, zone } = this.#options;
    const { maxWorkers, concurrency } = worker.settings;
    return encodePresence({
      id: node.id,
      name: this.name,
      zone,
      version: PROTOCOL_VERSION,
      slots: Math.max(1, maxWorkers * concurrency),
      signature: signatureOf(worker),
      isLeaving: this.#isLeaving,
    });
  }

  #answer(worker: WorkerBlueprint, message: MeshMessage): void {
    if (!this.#isLeaving) this.#options.node.answer(message, this.#presence(worker));
  }

  #announce(): void {
    const { node, workers } = this.#options;
    for (const worker of workers) node.publish(node.subjects.here(worker.name), this.#presence(worker));
  }

  #announceAgain(): void {
    const { clock } = this.#options.node;
    // Hosts that were started together spread out.
    this.#timer = clock.after(ANNOUNCE_EVERY * (0.75 + Math.random() / 2), () => {
      this.#announce();
      this.#announceAgain();
    });
  }
}

async function restarted(pool: Pool | undefined): Promise<void> {
  if (!pool) throw new Error('it is not started there');
  await pool.processSet.restart();
}

/** The key in a question of a caller, which may be anything. */
function keyIn(data: Uint8Array): string | undefined {
  try {
    const { key } = JSON.parse(Buffer.from(data).toString()) as { key?: unknown };
    return typeof key === 'string' ? key : undefined;
  } catch {
    return undefined;
  }
}
