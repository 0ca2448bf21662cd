import type { Clock, ClockTimer } from '../../clock.js';
import { deadline } from '../../deadline.js';
import { asError, ProfileError, ProtocolError } from '../../errors.js';
import type { ProfileRequest } from '../../profiling/profile-request.js';
import { CreditKind, INITIAL_ROOM, ReceiveWindow, sendCredit } from '../../wire/link/credit.js';
import { Kind, MOST_PROFILE_PIECE, ProfileStep } from '../../wire/link/protocol.js';
import type { Body, Link } from '../../wire/link/types.js';

/** Milliseconds until a process must have begun: its event loop has to turn once. */
const BEGIN_WITHIN = 10_000;
/** Milliseconds beyond its `duration` until the first bytes of a profile, and between those that are waited for. A heap snapshot takes about a second per 50 MB. */
const BYTES_WITHIN = 120_000;

type Result = IteratorResult<Uint8Array, undefined>;
const DONE: Result = { done: true, value: undefined };

/** The process whose profiles are received. */
export interface ProfileSource {
  readonly link: Link;
  readonly clock: Clock;
  /** The process, for messages: `worker render pid 712`. */
  readonly name: string;
}

/** The profiles that one process takes of itself: one at a time, on credit. The process is not trusted. */
export class ProfileReceiver {
  readonly #source: ProfileSource;
  #last = 0;
  #current: ArrivingProfile | undefined;

  constructor(source: ProfileSource) {
    this.#source = source;
  }

  /** One is being taken, and its time is not up: the process may stand still. */
  get active(): boolean {
    return this.#current?.overdue === false;
  }

  /**
   * Has a profile taken: its text in pieces, as they come. To leave it ends it there, too.
   * Throws ProfileError; reading throws one where the process cannot take it, ends, or does not answer.
   */
  take(request: ProfileRequest): AsyncIterableIterator<Uint8Array, undefined> {
    if (this.#current)
      throw new ProfileError('busy', `a profile of ${this.#source.name} is being taken already, or is not ended yet: one at a time`);
    const id = ++this.#last;
    this.#current = new ArrivingProfile(this.#source, id, request);
    this.#source.link.sendValue(Kind.PROFILE, id, ProfileStep.take, request);
    return this.#current;
  }

  /** PROFILE has come. Throws ProtocolError for what no worker of ours sends. */
  receive(id: number, step: number, body: Body): void {
    const profile = this.#current;
    if (!profile || id !== this.#last) throw new ProtocolError(`it sends profile ${id}, which is not asked for`);
    if (step === ProfileStep.begun) return profile.onBegun();
    if (step === ProfileStep.bytes) return profile.push(body);
    if (step !== ProfileStep.end && step !== ProfileStep.failed) throw new ProtocolError(`step ${step} of a profile, which it never sends`);
    this.#current = undefined;
    profile.end(step === ProfileStep.failed ? asError(body.value()) : undefined);
  }

  /** The process has ended, for this reason. */
  close(reason: string): void {
    this.#current?.end(new ProfileError('ended', `${this.#source.name} has ended (${reason}) before its profile was here`));
    this.#current = undefined;
  }
}

/** One profile on its way to the master. */
class ArrivingProfile implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #source: ProfileSource;
  readonly #id: number;
  readonly #request: ProfileRequest;
  readonly #window = new ReceiveWindow(INITIAL_ROOM.profiles);
  /** Bounded by the window. */
  readonly #pieces: { readonly piece: Uint8Array; readonly size: number }[] = [];
  #waiting: { resolve(result: Result): void; reject(error: Error): void } | undefined;
  #timer: ClockTimer | undefined;
  #begun = false;
  /** Its first bytes are here. */
  #streams = false;
  /** Nothing is read any more. */
  #over = false;
  /** The process should have said something by now. */
  overdue = false;
  #error: Error | undefined;

  constructor(source: ProfileSource, id: number, request: ProfileRequest) {
    this.#source = source;
    this.#id = id;
    this.#request = request;
    this.#within(BEGIN_WITHIN, 'does not begin with a profile');
  }

  /** Throws ProtocolError for a second time. */
  onBegun(): void {
    if (this.#begun) throw new ProtocolError('a profile that begins twice');
    this.#begun = true;
    if (this.#over) return;
    const { kind, duration } = this.#request;
    this.#within((kind === 'cpu' ? duration : 0) + BYTES_WITHIN, 'does not come to an end with a profile');
  }

  /** Throws ProtocolError where it had no credit, or brings no bytes. */
  push(body: Body): void {
    const size = body.length;
    if (size > MOST_PROFILE_PIECE) throw new ProtocolError(`${size} bytes of a profile at once, which may be ${MOST_PROFILE_PIECE}`);
    if (!this.#window.received(size)) throw new ProtocolError('bytes of a profile without credit');
    if (this.#over) return;
    this.#streams = true;
    this.#timer?.cancel();
    const piece = body.value();
    if (!(piece instanceof Uint8Array)) throw new ProtocolError('bytes of a profile that are none');
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (!waiting) return void this.#pieces.push({ piece, size });
    waiting.resolve({ done: false, value: piece });
    this.#took(size);
  }

  /** That was all; or the process says why there is none. */
  end(error?: Error): void {
    this.#timer?.cancel();
    this.#close(error);
  }

  next(): Promise<Result> {
    const first = this.#pieces.shift();
    if (first) {
      this.#took(first.size);
      return Promise.resolve({ done: false, value: first.piece });
    }
    const error = this.#error;
    this.#error = undefined;
    if (error) return Promise.reject(error);
    if (this.#over) return Promise.resolve(DONE);
    if (this.#streams) this.#within(BYTES_WITHIN, 'sends no more of its profile');
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  /** No more of it is wanted. The process says when it has ended. */
  return(): Promise<Result> {
    this.#pieces.length = 0;
    if (!this.#over) {
      this.#source.link.send(Kind.PROFILE, this.#id, ProfileStep.leave);
      this.#within(BYTES_WITHIN, 'does not leave its profile');
      this.#close(undefined);
    }
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #close(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (!waiting) this.#error = error;
    else if (error) waiting.reject(error);
    else waiting.resolve(DONE);
  }

  #within(delay: number, words: string): void {
    this.#timer?.cancel();
    this.#timer = deadline(
      this.#source.clock,
      delay,
      () => {
        this.overdue = true;
        const { link, name } = this.#source;
        if (!this.#over) link.send(Kind.PROFILE, this.#id, ProfileStep.leave);
        this.#close(new ProfileError('unanswered', `${name} ${words} within ${delay / 1000} s: a task holds its event loop`));
      },
      false,
    );
  }

  #took(bytes: number): void {
    const room = this.#window.consumed(bytes);
    if (room && !this.#over) sendCredit(this.#source.link, this.#id, CreditKind.profiles, room);
  }
}
