import { currentContext, emptyContext, namedContext, type AsyncContext } from '../async-context.js';
import type { TlsOptions } from '../decorators/connection/endpoint-types.js';
import type { About, ExitStatus } from '../decorators/hook-types.js';
import { observed, publish } from '../diagnostics.js';
import type { Remote, Transport, TransportSink } from '../endpoints/endpoint.js';
import { LimitError, UsageError, asError } from '../errors.js';
import type { Chunk, Framing } from '../framing/framing.js';
import type { Duration, Off } from '../units.js';
import type { Owner } from '../workers/call/owner.js';
import { mayAnswer, type AnswerBudget } from './inbound/answer-budget.js';
import { reasonOfError } from './close-reason.js';
import { connectionId } from './connection-id.js';
import { encoded, fitting, framingOn, mustHaveOne, mustStream } from './outbound/encode.js';
import { Deadlines } from './timeouts/deadlines.js';
import { Ending, type EndingHost } from './lifecycle.js';
import { Line, type LineHost } from './handler/handler-runner.js';
import { Outbound, type OutboundHost } from './outbound/send-buffer.js';
import { Patience, type PatienceHost } from './timeouts/timeout-policy.js';
import { Peer, type FileRange, type PeerPort } from './peer.js';
import { Piping, type PipingHost } from './takeover/pipe.js';
import type { Built } from './handler/handler-types.js';
import { RateGate } from './inbound/rate-limiter.js';
import { Hold, Reader, type ReaderHost } from './inbound/read-loop.js';
import { Room } from './outbound/drain-waiters.js';
import { sendFile } from './outbound/send-file.js';
import { startOwned, type SessionHost, type SessionOrigin } from './session-host.js';
import type { Settings } from './settings.js';
import { startTls, type SecuringHost } from './takeover/start-tls.js';
import { ownerOf } from './handler/worker-events.js';

const NO_DATA: object = Object.freeze({});

/**
 * One connection: bytes in, messages to the handler in order, replies out, within its limits, closed once for one reason.
 * It joins the rooms: Reader (bytes not handled), Line (methods), Outbound (bytes not sent), Patience (deadlines), Ending.
 */
export class Session
  implements TransportSink, PeerPort, EndingHost, ReaderHost, LineHost, OutboundHost, PatienceHost, PipingHost, SecuringHost
{
  readonly host: SessionHost;
  readonly settings: Settings;
  readonly transport: Transport;
  readonly given: object;
  /** Where it came in; undefined when it was dialled. */
  readonly origin: SessionOrigin | undefined;
  readonly openedAt: number;
  readonly peer: Peer;
  readonly reader: Reader;
  readonly line: Line;
  readonly deadlines: Deadlines;
  readonly owner: Owner | undefined;
  readonly built: Built;
  readonly ending: Ending;
  readonly context: AsyncContext;
  readonly #patience: Patience;
  #outbound: Outbound | undefined;
  readonly #serial: number;
  readonly #rate: RateGate | undefined;
  framing: Framing<unknown, unknown>;
  bytesRead = 0;
  #room: Room | undefined;
  #piping: Piping | undefined;
  /** Timers and subscriptions. */
  #owned: Disposable[] | undefined;

  /** Makes the handler. Throws what its constructor throws: then the transport is still the caller's. */
  constructor(host: SessionHost, settings: Settings, transport: Transport, given: object = NO_DATA, origin?: SessionOrigin) {
    const { plan, limits } = settings;
    this.host = host;
    this.settings = settings;
    this.transport = transport;
    this.given = given;
    this.origin = origin;
    this.openedAt = host.clock.epoch();
    this.framing = framingOn(transport, settings.framing);
    this.#serial = host.nextId();
    this.context = namedContext({ handler: plan.name, serial: this.#serial }, origin ? emptyContext : currentContext);
    this.#rate = limits.rateLimit && new RateGate(limits.rateLimit, host.clock);
    this.reader = new Reader(this, transport, host.turn, settings, this.#rate);
    this.line = new Line(this, plan, settings.concurrency > 1 && settings.ordered);
    this.#patience = new Patience(this);
    this.deadlines = new Deadlines(host.clock, host.alarms, this.#patience);
    this.ending = new Ending(this);
    this.peer = new Peer(this);
    if (plan.wantsOwner) this.owner = ownerOf(this);
    // What the constructor ends, ends when it is through.
    this.line.due++;
    try {
      this.built = this.context.runInAsyncScope(() => plan.build(this.peer, this.owner));
    } catch (error) {
      this.ending.stillborn(asError(error));
      this.#piping?.close();
      throw error;
    }
    this.line.due--;
    this.line.serve(this.built.instance);
  }

  // ── what the reactor asks ──

  /** Begins: the transport delivers, timers run. Resolves when `@OnConnect` has settled; undefined when it has already. Never rejects. */
  open(): Promise<void> | undefined {
    const { plan } = this.settings;
    this.reader.hold(Hold.OPENING | (plan.reads ? 0 : Hold.UNREAD));
    this.transport.open(this);
    const { remote, local } = this.transport;
    if (observed('connection.open')) publish('connection.open', { id: this.id, handler: plan.name, remote, local });
    if (!this.ending.open) {
      this.ending.step();
      return undefined;
    }
    this.#patience.begin();
    this.#owned = this.context.runInAsyncScope(() => startOwned(this.host, plan, this.line, () => this.id));
    const connecting = this.line.hook('OnConnect', plan.blueprint.hooks.connect);
    if (connecting) return connecting.then(() => this.reader.release(Hold.OPENING));
    this.reader.release(Hold.OPENING);
    return undefined;
  }

  /** The application is closing: runs `@OnShutdown`, then ends when nothing is due and gives the peer `grace` ms to finish. Never rejects. */
  async shutdown(grace: number): Promise<void> {
    if (!this.ending.open && !this.ending.half) return;
    if (this.owner) this.owner.exempt = true;
    await this.line.hook('OnShutdown', this.settings.plan.blueprint.hooks.shutdown);
    if (this.owner && !this.ending.gone) this.owner.exempt = false;
    this.ending.leave({ by: 'shutdown', code: 'SHUTDOWN' }, undefined, grace);
    this.line.endIdleStreams(this.host.clock, grace);
  }

  // ── TransportSink ──

  data(chunk: Buffer, from?: Remote): void {
    if (from && this.origin?.admits(from) === false) return;
    this.bytesRead += chunk.length;
    this.#patience.heard();
    if (this.reader.held(Hold.PIPED)) this.#piping?.data(chunk);
    else this.reader.data(chunk, from);
  }

  ended(): void {
    if (this.transport.shared) this.ending.because({ by: 'local', code: 'END' });
    this.ending.peerEnded();
    this.reader.settle();
    if (this.reader.held(Hold.PIPED)) this.#piping?.sourceEnded();
    // A connection that nobody reads may yet be piped; where nothing was received there is nothing to wait for.
    if (!this.settings.plan.reads && this.reader.inbound.weight === 0) this.ending.heardAll();
    this.reader.pump();
    this.ending.step();
  }

  drained(): void {
    this.outbound.drained();
  }

  partial(): void {
    this.#patience.heard();
    if (this.ending.open) this.#patience.message(true);
  }

  broken(error: Error): void {
    if (this.reader.held(Hold.PIPED | Hold.UNREAD)) this.unreadable(error);
    else this.reader.fail(error);
  }

  undelivered(error: Error, to: Remote): void {
    void this.line.tell(error, { during: 'socket', from: to });
  }

  exited(status: ExitStatus): void {
    this.ending.exited(status);
  }

  unheard(): void {
    this.ending.unheard();
  }

  closed(error?: Error): void {
    this.ending.closed(error);
  }

  // ── EndingHost ──

  /** Made when it is first asked for: a connection to which nothing was said has none. */
  get outbound(): Outbound {
    return (this.#outbound ??= new Outbound(this.transport, this, this.host.turn, this.settings.limits, this.host.budget));
  }

  get id(): string {
    return connectionId(this.#serial);
  }

  get piped(): boolean {
    return this.#piping?.busy === true;
  }

  released(): void {
    this.#rate?.close();
    for (const owned of this.#owned ?? []) owned[Symbol.dispose]();
    this.#owned = undefined;
    this.origin?.left(this.transport);
    this.host.left(this);
    this.#piping?.close();
    this.#room?.open();
  }

  finished(): void {
    this.host.finished(this);
  }

  // ── ReaderHost ──

  get hasRoom(): boolean {
    return this.line.inFlight < this.settings.concurrency;
  }

  handle(message: unknown, from: Remote | undefined): void {
    this.#patience.message(false);
    this.line.message(message, from);
    if (this.ending.leaving) this.ending.step();
  }

  dry(begun: boolean): void {
    this.#patience.message(begun);
    if (!this.ending.heardAll()) return;
    this.#patience.message(false);
    try {
      const last = this.reader.inbound.end();
      if (last !== undefined) this.line.message(last, undefined);
    } catch (thrown) {
      this.unreadable(thrown);
    }
    this.ending.step();
  }

  unreadable(thrown: unknown, from?: Remote): void {
    const error = asError(thrown);
    if (from) return this.line.unreadable(error, from);
    const reason = reasonOfError(error);
    this.ending.because(reason);
    this.reader.hold(Hold.DEAF);
    this.deadlines.hush();
    this.ending.startGrace(this.settings.limits.halfCloseGrace);
    void this.line.tell(error, { during: 'framing' }).then(() => this.ending.leaveNow(reason));
  }

  tooFast(): void {
    // Nobody may close to the others what they share: what is too much is lost.
    if (!this.transport.shared) this.exceeded('rateLimit', 'the peer sends more messages than rateLimit allows');
  }

  cork(corked: boolean): void {
    this.outbound.cork(corked);
  }

  // ── LineHost ──

  get remote(): Remote {
    return this.transport.remote;
  }

  get answerBudget(): AnswerBudget | undefined {
    return this.reader.inbound.answerBudget;
  }

  reply(value: unknown, framing: Framing<unknown, unknown>, to: Remote | undefined, within?: AnswerBudget): void {
    if (this.ending.over) return;
    const bytes = this.#encode(value, framing);
    if (mayAnswer(bytes, within, this.settings.plan)) this.say(bytes, to);
  }

  room(): Promise<void> | undefined {
    if (!this.reader.held(Hold.CONGESTED) || this.ending.over) return undefined;
    return (this.#room ??= new Room()).wait();
  }

  fail(error: Error, { during, hook, from }: About): void {
    publish('connection.error', { id: this.id, handler: this.settings.plan.name, during, hook, error, from: from?.url });
    // Where one of many senders is to blame, the others go on.
    if (!from) this.ending.leaveNow(reasonOfError(error));
  }

  working(): void {
    this.#patience.working();
  }

  settled(): void {
    if (!this.ending.gone) {
      this.clocks();
      this.reader.pump();
    }
    this.ending.step();
  }

  // ── OutboundHost ──

  waits(waiting: boolean): void {
    this.#patience.waits(waiting);
    if (!waiting) this.ending.flushed();
    this.clocks();
  }

  progressed(): void {
    this.#patience.progressed();
  }

  congestion(congested: boolean): void {
    if (congested) {
      this.reader.hold(Hold.CONGESTED);
      return;
    }
    this.reader.release(Hold.CONGESTED, true);
    this.#room?.open();
    this.#piping?.hasRoom();
    if (!this.ending.over) void this.line.hook('OnDrain', this.settings.plan.blueprint.hooks.drain);
  }

  exceeded(limit: string, message: string, by: 'limit' | 'timeout' = 'limit'): void {
    const error = new LimitError(limit, message);
    publish('connection.limit', { id: this.id, handler: this.settings.plan.name, limit });
    this.ending.drop({ by, code: limit, error });
  }

  // ── PeerPort ──

  send(message: unknown, to?: Remote): boolean {
    if (!this.ending.open) return false;
    if (!to) mustHaveOne(this.transport);
    this.say(this.#encode(message, this.framing), to);
    return true;
  }

  end(message: unknown): void {
    if (!this.ending.open && !this.ending.half) return;
    if (message !== undefined) mustHaveOne(this.transport);
    const farewell = message === undefined ? undefined : this.#encode(message, this.framing);
    this.ending.leave({ by: 'local', code: 'END' }, farewell);
  }

  halfClose(): void {
    mustStream(this.transport, 'a connection of whole messages has no half-close: end() it');
    this.ending.halve();
  }

  pause(): void {
    this.reader.hold(Hold.PAUSED);
    this.clocks();
  }

  resume(): void {
    if (!this.reader.held(Hold.PAUSED)) return;
    this.reader.release(Hold.PAUSED, true);
    this.clocks();
  }

  setFraming(framing: Framing<unknown, unknown>): void {
    if (this.settings.concurrency > 1)
      throw new UsageError(`${this.settings.plan.name} has concurrency above 1: its framing cannot change`);
    this.framing = framingOn(this.transport, framing);
    this.reader.inbound.use(framing, this.settings.messageLimit(framing));
    this.reader.again();
  }

  setIdleTimeout(timeout: Duration | Off): void {
    this.#patience.setIdleTimeout(timeout);
  }

  async sendFile(path: string | URL, range: FileRange): Promise<number> {
    mustStream(this.transport, 'a connection of whole messages takes no file: send its parts as messages');
    this.line.due++;
    try {
      return await sendFile(this, path, range);
    } finally {
      this.line.due--;
      this.settled();
    }
  }

  startTls(options: TlsOptions | undefined): Promise<void> {
    return startTls(this, options);
  }

  get pipes(): Piping {
    return (this.#piping ??= new Piping(this));
  }

  say(bytes: Chunk | readonly Chunk[], to?: Remote): void {
    this.#patience.said();
    if (this.transport.kind === 'stream') this.outbound.push(bytes);
    else if (this.transport.lossless) this.outbound.message(bytes);
    else if (to || !this.transport.shared) this.outbound.datagram(fitting(bytes, this.transport, this.settings.plan.name), to);
  }

  clocks(): void {
    this.#patience.clocks();
  }

  #encode(value: unknown, framing: Framing<unknown, unknown>): Chunk | readonly Chunk[] {
    return encoded(framing, value, this.settings.plan.name);
  }
}
