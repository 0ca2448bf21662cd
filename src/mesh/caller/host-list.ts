import type { MeshNode } from '../link/mesh-node.js';
import { decodePresence, type Presence } from '../presence.js';

/** Milliseconds without a word after which a host that is not linked is forgotten. */
const FORGET_AFTER = 100_000;
/** Milliseconds in which hosts answer the question which of them serve a worker. */
const ANSWER = 300;

/** Known hosts of one worker. Asks once, and again after each interruption; between, hosts say by themselves that they come and go. */
export class HostList {
  readonly #node: MeshNode;
  readonly #worker: string;
  readonly #hosts = new Map<string, { readonly presence: Presence; readonly at: number }>();
  readonly #changed: (() => void)[] = [];
  #started: Promise<void> | undefined;
  #firstAnswer: (() => void) | undefined;

  constructor(node: MeshNode, worker: string) {
    this.#node = node;
    this.#worker = worker;
  }

  /** Hosts that take callers. */
  get hosts(): readonly Presence[] {
    const before = this.#node.clock.now() - FORGET_AFTER;
    return [...this.#hosts.values()].filter(({ presence, at }) => !presence.isLeaving && at > before).map(({ presence }) => presence);
  }

  /** Calls the listener when hosts have come or gone. */
  onChange(listener: () => void): void {
    this.#changed.push(listener);
  }

  /** Resolves with the first answer, or when none came soon. @throws MeshError when the server refuses a subject. */
  start(): Promise<void> {
    return (this.#started ??= this.#start());
  }

  /** Removes a host that was found gone. */
  forget(id: string): void {
    if (this.#hosts.delete(id)) this.#tell();
  }

  /** One host's word, whichever way it came. */
  learn(data: Uint8Array): void {
    const presence = decodePresence(data);
    if (!presence) return;
    const known = this.#hosts.get(presence.id)?.presence;
    this.#hosts.set(presence.id, { presence, at: this.#node.clock.now() });
    this.#firstAnswer?.();
    if (known?.isLeaving !== presence.isLeaving) this.#tell();
  }

  async #start(): Promise<void> {
    const { subjects } = this.#node;
    await this.#node.subscribe(subjects.here(this.#worker), ({ data }) => this.learn(data));
    this.#node.onResumed(() => this.#ask());
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

  #ask(): void {
    const { subjects, ownPrefix } = this.#node;
    this.#node.publish(subjects.who(this.#worker), new Uint8Array(), `${ownPrefix}.${WHO}-${Buffer.from(this.#worker).toString('hex')}`);
  }

  #tell(): void {
    for (const listener of this.#changed) listener();
  }
}

/** Token of no host and no link: publishing there shows whether it is permitted. */
const PROBE = 'probe';

/** Start of the last token of subjects on which answers to the question come. */
export const WHO = 'who';
