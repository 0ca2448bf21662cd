import { randomBytes } from 'node:crypto';
import type { Clock, ClockTimer } from '../../clock.js';
import { publish as tell } from '../../diagnostics.js';
import { asError, MeshError } from '../../errors.js';
import type { MeshConnection, MeshMessage, MeshSubscription } from '../mesh-types.js';
import { lastToken, subjectsOf, type Subjects } from '../subjects.js';
import { decodeFrame, encodeFrame, FrameKind } from './frames.js';
import { BEAT } from './liveness.js';
import { MeshStream } from './mesh-stream.js';

/** Milliseconds since the server's last answer in which silence is the other side's, and not that of our own cable. */
const OWN_CABLE = 4 * BEAT;
/** Beats without a word after which a busy host is given up: 3 s. */
const HOST_SILENT = 15;
/** Missed signs of life until a caller counts as gone, which may be busy with code of its own: 15 s. The mesh sees its end much sooner. */
const CALLER_SILENT = 75;

/** Beats without an answer of the server after which the connection is dropped and made again: 3 s. A cut cable is noticed by nothing sooner. */
const SERVER_SILENT = 15;

/** Why a link is reset. */
const UNKNOWN = 'it does not know this link any more';
const REFUSED = 'it takes no more links';

/** Start of the tokens on which answers come. */
const ASK = 'ask-';

/** A question without an answer. */
interface Question {
  readonly subject: string;
  readonly timer: ClockTimer | undefined;
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** One link of this node, and where its frames go. */
interface Session {
  readonly stream: MeshStream;
  readonly to: string;
  /** Own subject: where the mesh says that there was no receiver. */
  readonly from: string;
}

/** An id of letters and digits that cannot be guessed. */
export function newId(): string {
  return randomBytes(12).toString('base64url').replaceAll('_', '-');
}

/**
 * One application on the mesh: its subjects, its links to others, and one beat that watches over all of them.
 */
export class MeshNode {
  readonly id = newId();
  readonly connection: MeshConnection;
  readonly subjects: Subjects;
  readonly clock: Clock;
  readonly #sessions = new Map<string, Session>();
  readonly #subscriptions = new Set<MeshSubscription>();
  #beat: ClockTimer | undefined;
  #heardServerAt = -Infinity;
  /** Beats since the server was asked for a sign of life that has not come; -1: it was not asked. */
  #probing = -1;
  #isClosed = false;
  readonly #resumed: (() => void)[] = [];
  /** Questions without an answer, by the token on which it comes. */
  readonly #asked = new Map<string, Question>();

  constructor(connection: MeshConnection, clock: Clock) {
    this.connection = connection;
    this.clock = clock;
    this.subjects = subjectsOf(connection.namespace);
    connection.onStatus(isUp => this.#onStatus(isUp));
  }

  /** Subjects on which this node receives as a caller. */
  get ownPrefix(): string {
    return this.subjects.toCaller(this.connection.user, this.id);
  }

  get links(): number {
    return this.#sessions.size;
  }

  /** Calls the listener each time the mesh can be reached again. */
  onResumed(listener: () => void): void {
    this.#resumed.push(listener);
  }

  /** Receives on a subject until this node closes; what the listener throws is told, and ends nothing. */
  async subscribe(subject: string, listener: (message: MeshMessage) => void): Promise<void> {
    const subscription = await this.connection.subscribe(subject, message => {
      try {
        listener(message);
      } catch (error) {
        tell('hook.error', { hook: `mesh ${subject}`, error: asError(error) });
      }
    });
    if (this.#isClosed) subscription.close();
    else this.#subscriptions.add(subscription);
  }

  /** Publishes nothing there, to no one. @throws MeshError when the server does not permit it. */
  async mustPublish(subject: string): Promise<void> {
    this.connection.publish(subject, new Uint8Array());
    await this.connection.flush();
    if (!this.connection.isRefused(subject)) return;
    const { user } = this.connection;
    throw new MeshError(`the server does not let ${user} publish to ${subject}`, { reason: 'permission', subject });
  }

  /**
   * Asks what receives there. `cancelled`: the answer is not wanted any more.
   * @throws MeshError when nothing receives there, no answer came within `timeout` milliseconds (0: ever), or it may be lost.
   */
  ask(subject: string, data: Uint8Array, timeout: number, cancelled?: Promise<unknown>): Promise<Uint8Array> {
    const token = `${ASK}${newId()}`;
    void cancelled?.then(() => this.#fail(token, 'is not waited for any more'));
    return new Promise((resolve, reject) => {
      const late = (): void => this.#fail(token, `did not answer within ${timeout} ms`);
      const timer = timeout === 0 ? undefined : this.clock.after(timeout, late, true);
      this.#asked.set(token, { subject, timer, resolve, reject });
      this.publish(subject, data, `${this.ownPrefix}.${token}`);
    });
  }

  publish(subject: string, data: Uint8Array, reply?: string): void {
    this.connection.publish(subject, data, reply);
  }

  /** Opens a link to a host, for one worker. */
  connectTo(worker: string, host: string): MeshStream {
    const session = newId();
    const from = `${this.ownPrefix}.${session}`;
    const to = this.subjects.toHost(worker, host, session);
    return this.#add(session, { to, from, silentAfter: HOST_SILENT, opening: Buffer.from(this.ownPrefix) });
  }

  /** Takes a link that a caller opens. */
  accept(session: string, worker: string, prefix: string): MeshStream {
    const from = this.subjects.toHost(worker, this.id, session);
    return this.#add(session, { to: `${prefix}.${session}`, from, silentAfter: CALLER_SILENT });
  }

  /** One frame for a link of this node. `opened`: it opens one that is not known. Frames of unknown links are answered by RESET. */
  receive(message: MeshMessage, opened?: (session: string, prefix: string) => MeshStream | undefined): void {
    const id = lastToken(message.subject);
    if (this.#asked.has(id)) return this.#answered(id, message);
    let stream = this.#sessions.get(id)?.stream;
    if (message.noReceiver) return stream?.noReceiver();
    const frame = decodeFrame(message.data);
    if (!frame) return;
    if (!stream && frame.kind === FrameKind.OPEN) {
      const prefix = frame.body.toString();
      if (this.subjects.isCaller(prefix)) stream = opened?.(id, prefix);
    }
    if (stream) return stream.receive(frame);
    // The sender waits for an answer on its own subject.
    if (frame.kind === FrameKind.PING) this.answer(message, encodeFrame(FrameKind.RESET, 0, 0, Buffer.from(UNKNOWN)));
    else if (frame.kind === FrameKind.OPEN) this.answer(message, encodeFrame(FrameKind.RESET, 0, 0, Buffer.from(REFUSED)));
  }

  /** Answers a message, where it names a subject on which a caller or a host receives answers: a sender may name any other. */
  answer({ reply }: MeshMessage, data: Uint8Array): void {
    if (reply !== undefined && this.subjects.isAnswer(reply)) this.publish(reply, data);
  }

  /** Ends every link, and what this node receives. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#beat?.cancel();
    this.#failAll('was not waited for: this side has closed');
    for (const { stream } of [...this.#sessions.values()]) stream.destroy();
    for (const subscription of this.#subscriptions) subscription.close();
    await this.connection.close();
  }

  #add(
    session: string,
    { to, from, silentAfter, opening }: { to: string; from: string; silentAfter: number; opening?: Uint8Array },
  ): MeshStream {
    const { connection, clock } = this;
    const port = {
      get isUp(): boolean {
        return connection.isUp;
      },
      get maxFrame(): number {
        return connection.maxPayload;
      },
      now: () => clock.now(),
      send: (frame: Buffer, answered = false) => connection.publish(to, frame, answered ? from : undefined),
      onClosed: () => void this.#sessions.delete(session),
    };
    const stream = new MeshStream(port, { label: session, silentAfter, opening });
    this.#sessions.set(session, { stream, to, from });
    this.#beat ??= this.#nextBeat();
    return stream;
  }

  #nextBeat(): ClockTimer {
    return this.clock.after(BEAT, () => {
      this.#beat = undefined;
      if (this.#isClosed) return;
      if (this.connection.isUp) this.#look();
      if (this.#sessions.size > 0) this.#beat = this.#nextBeat();
    });
  }

  #look(): void {
    let isAsking = false;
    for (const { stream } of [...this.#sessions.values()]) {
      const verdict = stream.beat();
      if (verdict === 'silent' && this.clock.now() - this.#heardServerAt < OWN_CABLE) stream.giveUp('it does not answer');
      isAsking ||= verdict === 'ping' || verdict === 'silent';
    }
    if (isAsking) void this.#probe();
    if (this.#probing < 0 || ++this.#probing <= SERVER_SILENT) return;
    this.#probing = -1;
    this.connection.reconnect();
  }

  /** Whether the server answers: without that, silence says nothing about the other side. */
  async #probe(): Promise<void> {
    if (this.#probing >= 0) return;
    this.#probing = 0;
    try {
      await this.connection.flush();
      this.#heardServerAt = this.clock.now();
    } catch {
      // The connection says by itself when it is down.
    }
    this.#probing = -1;
  }

  #answered(token: string, { noReceiver, data }: MeshMessage): void {
    if (noReceiver) return this.#fail(token, 'has no receiver');
    const { timer, resolve } = this.#asked.get(token)!;
    this.#asked.delete(token);
    timer?.cancel();
    resolve(data);
  }

  #fail(token: string, why: string): void {
    const question = this.#asked.get(token);
    if (!question) return;
    this.#asked.delete(token);
    question.timer?.cancel();
    question.reject(new MeshError(`${question.subject} ${why}`, { reason: 'unreachable', subject: question.subject }));
  }

  #failAll(why: string): void {
    for (const token of [...this.#asked.keys()]) this.#fail(token, why);
  }

  #onStatus(isUp: boolean): void {
    if (this.#isClosed) return;
    this.#probing = -1;
    if (!isUp) return this.#failAll('may have done it or not: the mesh was interrupted before its answer came');
    for (const { stream } of [...this.#sessions.values()]) stream.resumed();
    for (const listener of this.#resumed) listener();
  }
}
