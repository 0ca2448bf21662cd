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

/** Start of the tokens on which answers come. */
const ASK = 'ask-';

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
  #isProbing = false;
  #isClosed = false;
  readonly #resumed: (() => void)[] = [];
  /** Questions without an answer, by the token on which it comes. */
  readonly #asked = new Map<string, (message: MeshMessage) => void>();

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

  /** Asks what receives there. @throws MeshError when nothing does, or no answer came within `timeout` milliseconds (0: ever). */
  ask(subject: string, data: Uint8Array, timeout: number): Promise<Uint8Array> {
    const token = `${ASK}${newId()}`;
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        this.#asked.delete(token);
        timer?.cancel();
        reject(new MeshError(`${subject} ${why}`, { reason: 'unreachable', subject }));
      };
      const timer = timeout === 0 ? undefined : this.clock.after(timeout, () => fail(`did not answer within ${timeout} ms`), true);
      this.#asked.set(token, message => {
        if (message.noReceiver) return fail('has no receiver');
        this.#asked.delete(token);
        timer?.cancel();
        resolve(message.data);
      });
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
    const asked = this.#asked.get(id);
    if (asked) return asked(message);
    let stream = this.#sessions.get(id)?.stream;
    if (message.noReceiver) return stream?.noReceiver();
    const frame = decodeFrame(message.data);
    if (!frame) return;
    if (!stream && frame.kind === FrameKind.OPEN) {
      const prefix = frame.body.toString();
      if (this.subjects.isCaller(prefix)) stream = opened?.(id, prefix);
    }
    if (stream) return stream.receive(frame);
    // The sender of a PING waits for an answer on its own subject.
    if (frame.kind === FrameKind.PING && message.reply !== undefined)
      this.publish(message.reply, encodeFrame(FrameKind.RESET, 0, 0, Buffer.from('it does not know this link any more')));
  }

  /** Ends every link, and what this node receives. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#beat?.cancel();
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
      now: () => clock.now(),
      send: (frame: Buffer, answered = false) => connection.publish(to, frame, answered ? from : undefined),
      closed: () => void this.#sessions.delete(session),
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
  }

  /** Whether the server answers: without that, silence says nothing about the other side. */
  async #probe(): Promise<void> {
    if (this.#isProbing) return;
    this.#isProbing = true;
    try {
      await this.connection.flush();
      this.#heardServerAt = this.clock.now();
    } catch {
      // The connection says by itself when it is down.
    }
    this.#isProbing = false;
  }

  #onStatus(isUp: boolean): void {
    if (!isUp || this.#isClosed) return;
    for (const { stream } of this.#sessions.values()) stream.resumed();
    for (const listener of this.#resumed) listener();
  }
}
