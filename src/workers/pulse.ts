import type { Clock, ClockTimer } from '../clock.js';
import type { CrashReason } from '../errors.js';
import { ProtocolError } from '../errors.js';
import type { HostProcess } from '../hosts/host.js';
import { Kind } from '../wire/protocol.js';
import type { Link } from '../wire/types.js';

/** How long a process with a hanging task has to show that its event loop still turns. */
const PATIENCE = 1000;
/** A process seen as stopped is looked at again after this: when a whole group is continued the master may run first. */
const SECOND_LOOK = 250;

/** Whether one process still answers. */
export class Pulse {
  readonly #clock: Clock;
  readonly #process: HostProcess;
  readonly #link: Link;
  readonly #kill: (reason: CrashReason) => void;
  #nonce = 0;
  /** When an idle process was pinged; -1: no answer is due. */
  #pingedAt = -1;
  #question: { readonly nonce: number; readonly timer: ClockTimer; readonly answered: () => void } | undefined;
  #look: ClockTimer | undefined;
  /** It answered when one of its tasks was hanging: the others may finish. */
  spared = false;

  constructor(clock: Clock, process: HostProcess, link: Link, kill: (reason: CrashReason) => void) {
    this.#clock = clock;
    this.#process = process;
    this.#link = link;
    this.#kill = kill;
  }

  /** Asks for a sign of life now; without one it is killed for this reason. */
  ask(reason: CrashReason, answered: () => void): void {
    if (this.#question) return;
    this.spared = false;
    const timer = this.#clock.after(PATIENCE, () => this.#kill(reason), true);
    this.#question = { nonce: this.#ping(), timer, answered };
  }

  /** The heartbeat: an idle process must answer within `grace`; a stopped one is killed even when busy. */
  beat(idle: boolean, grace: number): void {
    if (this.#process.stopped()) {
      this.#look ??= this.#clock.after(SECOND_LOOK, () => {
        this.#look = undefined;
        if (this.#process.stopped()) this.#kill('heartbeat');
      });
      return;
    }
    const now = this.#clock.now();
    if (!idle) this.#pingedAt = -1;
    else if (this.#pingedAt < 0) {
      this.#pingedAt = now;
      this.#ping();
    } else if (now - this.#pingedAt >= grace) this.#kill('heartbeat');
  }

  answered(nonce: number): void {
    if (nonce === 0 || nonce > this.#nonce) throw new ProtocolError('an answer to a ping that was never sent');
    this.#pingedAt = -1;
    const question = this.#question;
    if (!question || nonce < question.nonce) return;
    question.timer.cancel();
    this.#question = undefined;
    this.spared = true;
    question.answered();
  }

  stop(): void {
    this.#question?.timer.cancel();
    this.#look?.cancel();
    this.#question = this.#look = undefined;
  }

  #ping(): number {
    this.#link.send(Kind.PING, 0, ++this.#nonce);
    return this.#nonce;
  }
}
