import type { ClockTimer } from '../../clock.js';
import type { MeshNode } from '../link/mesh-node.js';
import { decodePresence, type Presence } from '../presence.js';
import { WHO } from '../subjects.js';

/** Milliseconds without a word after which a host that is not linked is forgotten. */
const FORGET_AFTER = 100_000;
/** Milliseconds in which hosts answer the question which of them serve a worker. */
const ANSWER = 300;
/** Hosts of one worker that are known at most: more is no crowd, but a flood. */
const MOST_HOSTS = 20_000;
/** Milliseconds between two questions to a host that was lost: they double from the first to the last. */
const SEARCH = { least: 500, most: 16_000 } as const;
/** Hosts that are searched for at once, at most. */
const MOST_SEARCHES = 100;

/** Known hosts of one worker. Asks once, and again after each interruption; between, hosts say by themselves that they come and go. */
export class HostList {
  readonly #node: MeshNode;
  readonly #worker: string;
  readonly #hosts = new Map<string, { readonly presence: Presence; readonly at: number }>();
  readonly #changed = new Set<() => void>();
  #started: Promise<void> | undefined;
  #isSubscribed = false;
  #firstAnswer: (() => void) | undefined;
  /** Hosts that were lost and are asked whether they are back. */
  readonly #searches = new Map<string, ClockTimer>();

  constructor(node: MeshNode, worker: string) {
    this.#node = node;
    this.#worker = worker;
  }

  /** Hosts that take callers. */
  get hosts(): readonly Presence[] {
    this.#sweep();
    return [...this.#hosts.values()].map(({ presence }) => presence);
  }

  /** Calls the listener when hosts have come or gone, until the function that is returned is called. */
  onChange(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => void this.#changed.delete(listener);
  }

  /** Resolves with the first answer, or when none came soon. @throws MeshError when the server refuses a subject, or is away. */
  start(): Promise<void> {
    return (this.#started ??= this.#start().catch((error: unknown) => {
      // A server that was away may be there the next time.
      this.#started = undefined;
      throw error;
    }));
  }

  /** Removes a host that was found gone. It alone is asked for a while: it may only have been out of reach, and not know of it. */
  forget(id: string): void {
    if (!this.#hosts.delete(id)) return;
    if (!this.#searches.has(id) && this.#searches.size < MOST_SEARCHES) this.#search(id, SEARCH.least);
    this.#tell();
  }

  /** One host's word, whichever way it came. */
  learn(data: Uint8Array): void {
    const presence = decodePresence(data);
    if (!presence) return;
    const isKnown = this.#hosts.has(presence.id);
    this.#searches.get(presence.id)?.cancel();
    this.#searches.delete(presence.id);
    if (presence.isLeaving) {
      if (this.#hosts.delete(presence.id)) this.#tell();
      return;
    }
    if (!isKnown && this.#hosts.size >= MOST_HOSTS && !this.#sweep()) return;
    this.#hosts.set(presence.id, { presence, at: this.#node.clock.now() });
    this.#firstAnswer?.();
    if (!isKnown) this.#tell();
  }

  close(): void {
    for (const timer of this.#searches.values()) timer.cancel();
    this.#searches.clear();
    this.#changed.clear();
  }

  async #start(): Promise<void> {
    const { subjects } = this.#node;
    if (!this.#isSubscribed) {
      await this.#node.subscribe(subjects.here(this.#worker), ({ data }) => this.learn(data));
      this.#isSubscribed = true;
      this.#node.onResumed(() => this.#ask());
    }
    await this.#node.mustPublish(subjects.who(this.#worker));
    await this.#node.mustPublish(subjects.toHost(this.#worker, PROBE, PROBE));
    await new Promise<void>(resolve => {
      const timer = this.#node.clock.after(ANSWER, resolve, true);
      this.#firstAnswer = () => {
        timer.cancel();
        this.#firstAnswer = undefined;
        resolve();
      };
      this.#ask();
    });
  }

  /** Asks one host whether it is back, ever more rarely, for half a minute: a longer cut ends its connection, and it announces itself. */
  #search(id: string, delay: number): void {
    if (delay > SEARCH.most) return void this.#searches.delete(id);
    const timer = this.#node.clock.after(delay, () => {
      this.#ask(this.#node.subjects.toHost(this.#worker, id, WHO));
      this.#search(id, delay * 2);
    });
    this.#searches.set(id, timer);
  }

  /** Removes hosts that were not heard of for long. False: there are none. */
  #sweep(): boolean {
    const before = this.#node.clock.now() - FORGET_AFTER;
    const { size } = this.#hosts;
    for (const [id, { at }] of this.#hosts) if (at <= before) this.#hosts.delete(id);
    return this.#hosts.size < size;
  }

  #ask(subject = this.#node.subjects.who(this.#worker)): void {
    this.#node.publish(subject, new Uint8Array(), `${this.#node.ownPrefix}.${WHO}-${Buffer.from(this.#worker).toString('hex')}`);
  }

  #tell(): void {
    for (const listener of this.#changed) listener();
  }
}

/** Token of no host and no link: publishing there shows whether it is permitted. */
const PROBE = 'probe';
