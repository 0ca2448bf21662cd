import type { Clock, ClockTimer } from '../../clock.js';
import { deadline } from '../../deadline.js';
import type { CrashReason } from '../../errors.js';
import { ProtocolError } from '../../errors.js';
import type { HostProcess } from '../../hosts/host.js';
import { Kind } from '../../wire/link/protocol.js';
import type { Link } from '../../wire/link/types.js';
import { setImmediate } from '../../system-timers.js';

/** How long a process with a hanging task has to show that its event loop still turns. */
const PATIENCE = 1000;
/** A process seen as stopped is looked at again after this: when a whole group is continued the master may run first. */
const SECOND_LOOK = 250;

const RSS_LASTS = 200;

/** Whether one process still answers, and how large it is. */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #process: HostProcess;
  readonly #link: Link;
  readonly #kill: (reason: CrashReason) => void;
  #nonce = 0;
  #heard = 0;
  #stopped = false;
  /** Beats since an idle process was pinged; -1: no answer is due. Beats and not time: while the master itself stood still there were none. */
  #unanswered = -1;
  #question: { readonly nonce: number; readonly timer: ClockTimer; readonly answered: () => void } | undefined;
  #look: ClockTimer | undefined;
  #rss: { readonly at: number; readonly bytes: number | undefined } | undefined;
  /** The process answered while one of its tasks was hanging: the others may finish. */
  isSpared = false;

  constructor(clock: Clock, process: HostProcess, link: Link, kill: (reason: CrashReason) => void) {
    this.#clock = clock;
    this.#process = process;
    this.#link = link;
    this.#kill = kill;
  }

  /** Asks for a sign of life now; without one it is killed for this reason. */
  ask(reason: CrashReason, answered: () => void): void {
    if (this.#question) return;
    this.isSpared = false;
    const nonce = this.#ping();
    const timer = deadline(this.#clock, PATIENCE, () => this.#unlessHeard(nonce, reason), true);
    this.#question = { nonce, timer, answered };
  }

  /** The heartbeat: an idle process must answer within so many beats; a stopped one is killed even when busy. */
  beat(idle: boolean, patience: number): void {
    if (this.#process.isStopped()) {
      this.#look ??= this.#clock.after(SECOND_LOOK, () => {
        this.#look = undefined;
        if (this.#process.isStopped()) this.#kill('heartbeat');
      });
      return;
    }
    if (!idle) this.#unanswered = -1;
    else if (this.#unanswered < 0) {
      this.#unanswered = 0;
      this.#ping();
    } else if (++this.#unanswered >= patience) this.#unlessHeard(this.#nonce, 'heartbeat');
  }

  /** Resident bytes at this moment; undefined where they are not known. */
  get rss(): number | undefined {
    return this.#process.rss();
  }

  /** Memory in bytes, not older than a moment: it is asked for after each call, and the system is slow to answer. */
  recentRss(): number | undefined {
    const now = this.#clock.now();
    if (!this.#rss || now - this.#rss.at >= RSS_LASTS) this.#rss = { at: now, bytes: this.rss };
    return this.#rss.bytes;
  }

  onPong(nonce: number): void {
    if (nonce === 0 || nonce > this.#nonce) throw new ProtocolError('an answer to a ping that was never sent');
    this.#unanswered = -1;
    this.#heard = nonce;
    const question = this.#question;
    if (!question || nonce < question.nonce) return;
    question.timer.cancel();
    this.#question = undefined;
    this.isSpared = true;
    question.answered();
  }

  /** The answer may lie there unread, if the master was busy: it counts. */
  #unlessHeard(nonce: number, reason: CrashReason): void {
    setImmediate(() => {
      if (this.#heard < nonce && !this.#stopped) this.#kill(reason);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#question?.timer.cancel();
    this.#look?.cancel();
    this.#question = this.#look = undefined;
  }

  #ping(): number {
    this.#link.send(Kind.PING, 0, ++this.#nonce);
    return this.#nonce;
  }
}
