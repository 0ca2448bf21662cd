import type { Duplex } from 'node:stream';
import { openLink } from '../../../src/wire/link/link.js';
import { Kind, UPWARD, type BootMessage } from '../../../src/wire/link/protocol.js';
import type { Link, LinkReceiver } from '../../../src/wire/link/types.js';

/** One message as a spec reads it. */
export interface Said {
  readonly kind: string;
  readonly id: number;
  readonly arg: number;
  readonly value: unknown;
}

const NAMES = new Map<number, string>(Object.entries(Kind).map(([name, kind]) => [kind, name]));

/** The master's end of a link, as a script: says what it is told to, and keeps what it hears. */
export class LinkEnd implements LinkReceiver {
  readonly link: Link;
  /** Everything heard, in order. */
  readonly heard: Said[] = [];
  /** How much had been heard at the end of each read. */
  readonly reads: number[] = [];
  readonly over: Promise<void>;
  #over!: () => void;
  #closed = false;
  #waiting: (() => void)[] = [];
  #lastId = 0;

  constructor(stream: Duplex, maxMessageSize = 0) {
    this.over = new Promise(resolve => (this.#over = resolve));
    this.link = openLink(stream, this, { maxMessageSize });
  }

  onMessage(kind: number, id: number, arg: number, body: { value(): unknown }): void {
    this.heard.push({ kind: NAMES.get(kind)!, id, arg, value: body.value() });
    for (const check of this.#waiting.splice(0)) check();
  }

  onBurst(): void {
    this.reads.push(this.heard.length);
  }

  onClosed(): void {
    this.#closed = true;
    this.#over();
    for (const check of this.#waiting.splice(0)) check();
  }

  boot(boot: BootMessage): void {
    this.link.sendValue(Kind.BOOT, 0, 0, boot);
  }

  /** Calls the task with that index, and answers with the id. */
  call(index: number, input?: unknown): number {
    const id = ++this.#lastId;
    this.link.sendValue(Kind.CALL, id, index, input);
    return id;
  }

  /** Calls it, and gives what comes of it. */
  async ask(index: number, input?: unknown): Promise<Said> {
    return this.settled(this.call(index, input));
  }

  settled(id: number): Promise<Said> {
    return this.hears(said => said.id === id && ['REPLY', 'FAILURE', 'END', 'DROPPED'].includes(said.kind));
  }

  /** The first message that passes, already here or still to come. */
  async hears(test: (said: Said) => boolean): Promise<Said> {
    for (;;) {
      const found = this.heard.find(test);
      if (found) return found;
      if (this.#closed) throw new Error(`the link has ended; heard: ${this.heard.map(({ kind, id }) => `${kind} ${id}`).join(', ')}`);
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
  }

  kind(kind: string): Promise<Said> {
    return this.hears(said => said.kind === kind);
  }

  /** Every message so far that was sent has been read over there, and what it said about them has come. */
  async roundTrip(): Promise<void> {
    const nonce = ++this.#lastId + UPWARD;
    this.link.send(Kind.PING, 0, nonce);
    await this.hears(said => said.kind === 'PONG' && said.arg === nonce);
  }
}
