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
import { closeReason, reasonOfError, reasonOfLimit, type LimitCode } from './close-reasons.js';
import { connectionId } from './connection-id.js';
import { encodeMessage, datagramOf, framingOn, requireOnePeer, requireStream } from './outbound/encode.js';
import { ConnectionDeadlines } from './timeouts/deadlines.js';
import { ConnectionState } from './lifecycle.js';
import { HandlerRunner } from './handler/handler-runner.js';
import { SendBuffer } from './outbound/send-buffer.js';
import { TimeoutPolicy } from './timeouts/timeout-policy.js';
import { Peer, type PeerHost } from './peer.js';
import { ConnectionPipes } from './takeover/pipe.js';
import { connectionNames } from './event-names.js';
import type { Built } from './handler/handler-types.js';
import { RateLimiter } from './inbound/rate-limiter.js';
import { PauseReason, ReadLoop } from './inbound/read-loop.js';
import { DrainWaiters } from './outbound/drain-waiters.js';
import { sendFileOver, type FileRange } from './outbound/send-file.js';
import { startOwned, type SessionHost, type SessionOrigin } from './session-host.js';
import type { Settings } from './settings.js';
import { startTls } from './takeover/start-tls.js';
import { ownerOf } from './handler/worker-events.js';

const NO_DATA: object = Object.freeze({});

/**
 * One connection: bytes in, messages to the handler in order, replies out, within its limits, closed once for one reason.
 * Its parts: ReadLoop (bytes not handled yet), HandlerRunner (the handler's methods), SendBuffer (bytes not sent yet),
 * TimeoutPolicy (deadlines), ConnectionState (how it ends).
 */
export class Session implements TransportSink, PeerHost {
  readonly host: SessionHost;
  readonly settings: Settings;
  readonly transport: Transport;
  readonly given: object;
  /** Where it came in; undefined when it was dialled. */
  readonly origin: SessionOrigin | undefined;
  readonly openedAt: number;
  readonly peer: Peer;
  readonly readLoop: ReadLoop;
  readonly runner: HandlerRunner;
  readonly deadlines: ConnectionDeadlines;
  readonly owner: Owner | undefined;
  readonly built: Built;
  readonly state: ConnectionState;
  readonly context: AsyncContext;
  readonly #timeouts: TimeoutPolicy;
  #sendBuffer: SendBuffer | undefined;
  readonly #serial: number;
  readonly #rate: RateLimiter | undefined;
  framing: Framing<unknown, unknown>;
  bytesRead = 0;
  #drainWaiters: DrainWaiters | undefined;
  #pipes: ConnectionPipes | undefined;
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
    this.#rate = limits.rateLimit && new RateLimiter(limits.rateLimit, host.clock);
    this.readLoop = new ReadLoop(this, transport, host.flushScheduler, settings, this.#rate);
    this.runner = new HandlerRunner(this, plan, settings.concurrency > 1 && settings.isOrdered);
    this.#timeouts = new TimeoutPolicy(this);
    this.deadlines = new ConnectionDeadlines(host.clock, host.timerHeap, this.#timeouts);
    this.state = new ConnectionState(this);
    this.peer = new Peer(this);
    if (plan.wantsOwner) this.owner = ownerOf(this);
    // If the constructor ends the connection, it ends after the constructor has returned.
    this.runner.pendingReplies++;
    try {
      this.built = this.context.runInAsyncScope(() => plan.build(this.peer, this.owner));
    } catch (error) {
      this.state.constructorFailed(asError(error));
      this.#pipes?.close();
      throw error;
    }
    this.runner.pendingReplies--;
    this.runner.setInstance(this.built.instance);
  }

  // ── what the reactor asks ──

  /** Begins: the transport delivers, timers run. Resolves when `@OnConnect` has settled; undefined when it has already. Never rejects. */
  open(): Promise<void> | undefined {
    const { plan } = this.settings;
    this.readLoop.hold(PauseReason.OPENING | (plan.hasDataHandler ? 0 : PauseReason.NO_HANDLER));
    this.transport.open(this);
    if (observed('connection.open'))
      publish('connection.open', { remote: this.remote, local: this.transport.local, ...connectionNames(this) });
    if (!this.state.isOpen) {
      this.state.advance();
      return undefined;
    }
    this.#timeouts.start();
    this.#owned = this.context.runInAsyncScope(() => startOwned(this.host, plan, this.runner, () => this.id));
    const connecting = this.runner.runHook('OnConnect', plan.blueprint.hooks.connect);
    if (connecting) return connecting.then(() => this.readLoop.release(PauseReason.OPENING));
    this.readLoop.release(PauseReason.OPENING);
    return undefined;
  }

  /** The application is closing: runs `@OnShutdown`, then ends when nothing is due and gives the peer `grace` ms to finish. Never rejects. */
  async shutdown(grace: number): Promise<void> {
    if (!this.state.isOpen && !this.state.isHalfClosed) return;
    if (this.owner) this.owner.isAllowedWhileClosing = true;
    await this.runner.runHook('OnShutdown', this.settings.plan.blueprint.hooks.shutdown);
    if (this.owner && !this.state.isClosed) this.owner.isAllowedWhileClosing = false;
    this.state.end(closeReason(`shutdown ${this.host.closingCode}`), undefined, grace);
    this.runner.endIdleStreams(this.host.clock, grace);
  }

  // ── TransportSink ──

  data(chunk: Buffer, from?: Remote): void {
    if (from && this.origin?.admits(from) === false) return;
    this.bytesRead += chunk.length;
    this.#timeouts.onReceived();
    if (this.readLoop.isHeld(PauseReason.PIPED)) this.#pipes?.onSourceData(chunk);
    else this.readLoop.data(chunk, from);
  }

  ended(): void {
    if (this.transport.shared) this.state.setReason(closeReason('local END'));
    this.state.onPeerEnd();
    this.readLoop.onPeerEnd();
    if (this.readLoop.isHeld(PauseReason.PIPED)) this.#pipes?.onSourceEnd();
    // A connection without `@OnData` may yet be piped; where nothing was received there is nothing to wait for.
    if (!this.settings.plan.hasDataHandler && this.readLoop.inbound.weight === 0) this.state.markAllHandled();
    this.readLoop.pump();
    this.state.advance();
  }

  drained(): void {
    this.sendBuffer.onDrained();
  }

  partial(): void {
    this.#timeouts.onReceived();
    if (this.state.isOpen) this.#timeouts.onMessageBegun(true);
  }

  broken(error: Error): void {
    if (this.readLoop.isHeld(PauseReason.PIPED | PauseReason.NO_HANDLER)) this.onUnreadable(error);
    else this.readLoop.fail(error);
  }

  undelivered(error: Error, to: Remote): void {
    void this.runner.reportError(error, { during: 'socket', from: to });
  }

  exited(status: ExitStatus): void {
    this.state.onExit(status);
  }

  unheard(): void {
    this.state.onPeerStoppedReading();
  }

  closed(error?: Error): void {
    this.state.onClosed(error);
  }

  // ── LiveConnection: what its parts ask and report ──

  /** Made when it is first asked for: a connection to which nothing was said has none. */
  get sendBuffer(): SendBuffer {
    return (this.#sendBuffer ??= new SendBuffer(this.transport, this, this.host.flushScheduler, this.settings.limits, this.host.budget));
  }

  get id(): string {
    return connectionId(this.#serial);
  }

  get isPiped(): boolean {
    return this.#pipes?.isBusy === true;
  }

  onTransportClosed(): void {
    this.#rate?.close();
    for (const owned of this.#owned ?? []) owned[Symbol.dispose]();
    this.#owned = undefined;
    this.origin?.onConnectionOver(this.transport);
    this.host.onSessionClosed(this);
    this.#pipes?.close();
    this.#drainWaiters?.resolveAll();
  }

  onFinished(): void {
    this.host.onSessionFinished(this);
  }

  // ── ReadLoopHost ──

  get hasRoom(): boolean {
    return this.runner.inFlight < this.settings.concurrency;
  }

  handle(message: unknown, from: Remote | undefined): void {
    this.#timeouts.onMessageBegun(false);
    this.runner.handleMessage(message, from);
    if (this.state.isLeaving) this.state.advance();
  }

  onNoWholeMessage(begun: boolean): void {
    this.#timeouts.onMessageBegun(begun);
    if (!this.state.markAllHandled()) return;
    this.#timeouts.onMessageBegun(false);
    try {
      const last = this.readLoop.inbound.end();
      if (last !== undefined) this.runner.handleMessage(last, undefined);
    } catch (thrown) {
      this.onUnreadable(thrown);
    }
    this.state.advance();
  }

  onUnreadable(thrown: unknown, from?: Remote): void {
    const error = asError(thrown);
    if (from) return this.runner.handleUnreadable(error, from);
    const reason = reasonOfError(error);
    this.state.setReason(reason);
    this.readLoop.hold(PauseReason.DISCARDING);
    this.deadlines.clearPeerDeadlines();
    this.state.startGrace(this.settings.limits.halfCloseGrace);
    void this.runner.reportError(error, { during: 'framing' }).then(() => this.state.endNow(reason));
  }

  onRateExceeded(): void {
    // One sender must not close a socket that others share: messages above the rate are dropped.
    if (!this.transport.shared) this.closeForLimit('rateLimit', 'the peer sends more messages than rateLimit allows');
  }

  cork(corked: boolean): void {
    this.sendBuffer.cork(corked);
  }

  // ── HandlerRunnerHost ──

  get remote(): Remote {
    return this.transport.remote;
  }

  get answerBudget(): AnswerBudget | undefined {
    return this.readLoop.inbound.answerBudget;
  }

  reply(value: unknown, framing: Framing<unknown, unknown>, to: Remote | undefined, within?: AnswerBudget): void {
    if (this.state.isOver) return;
    const bytes = this.#encode(value, framing);
    if (mayAnswer(bytes, within, this.settings.plan)) this.sendEncoded(bytes, to);
  }

  waitForRoom(): Promise<void> | undefined {
    if (!this.readLoop.isHeld(PauseReason.CONGESTED) || this.state.isOver) return undefined;
    return (this.#drainWaiters ??= new DrainWaiters()).wait();
  }

  onUnhandledError(error: Error, { during, hook, from }: About): void {
    publish('connection.error', { ...connectionNames(this), during, hook, error, from: from?.url });
    // Where one of many senders is to blame, the others go on.
    if (!from) this.state.endNow(reasonOfError(error));
  }

  onHandlerPending(): void {
    this.#timeouts.onHandlerPending();
  }

  onHandlerSettled(): void {
    if (!this.state.isClosed) {
      this.reviewClocks();
      this.readLoop.pump();
    }
    this.state.advance();
  }

  // ── SendBufferHost ──

  onWaiting(waiting: boolean): void {
    this.#timeouts.onWaiting(waiting);
    if (!waiting) this.state.onFlushed();
    this.reviewClocks();
  }

  onProgress(): void {
    this.#timeouts.onProgress();
  }

  onCongestion(congested: boolean): void {
    if (congested) {
      this.readLoop.hold(PauseReason.CONGESTED);
      return;
    }
    this.readLoop.release(PauseReason.CONGESTED, true);
    this.#drainWaiters?.resolveAll();
    this.#pipes?.onTargetRoom();
    if (!this.state.isOver) void this.runner.runHook('OnDrain', this.settings.plan.blueprint.hooks.drain);
  }

  closeForLimit(limit: LimitCode, message: string): void {
    const error = new LimitError(limit, message);
    publish('connection.limit', { ...connectionNames(this), limit });
    this.state.destroy(reasonOfLimit(limit, error));
  }

  // ── PeerHost ──

  send(message: unknown, to?: Remote): boolean {
    if (!this.state.isOpen) return false;
    if (!to) requireOnePeer(this.transport);
    this.sendEncoded(this.#encode(message, this.framing), to);
    return true;
  }

  end(message: unknown): void {
    if (!this.state.isOpen && !this.state.isHalfClosed) return;
    if (message !== undefined) requireOnePeer(this.transport);
    const farewell = message === undefined ? undefined : this.#encode(message, this.framing);
    this.state.end(closeReason('local END'), farewell);
  }

  halfClose(): void {
    requireStream(this.transport, 'a connection of whole messages has no half-close: end() it');
    this.state.requestHalfClose();
  }

  pause(): void {
    this.readLoop.hold(PauseReason.PAUSED);
    this.reviewClocks();
  }

  resume(): void {
    if (!this.readLoop.isHeld(PauseReason.PAUSED)) return;
    this.readLoop.release(PauseReason.PAUSED, true);
    this.reviewClocks();
  }

  setFraming(framing: Framing<unknown, unknown>): void {
    if (this.settings.concurrency > 1)
      throw new UsageError(`${this.settings.plan.name} has concurrency above 1: its framing cannot change`);
    this.framing = framingOn(this.transport, framing);
    this.readLoop.inbound.setFraming(framing, this.settings.messageLimit(framing));
    this.readLoop.lookAgain();
  }

  setIdleTimeout(timeout: Duration | Off): void {
    this.#timeouts.setIdleTimeout(timeout);
  }

  async sendFile(path: string | URL, range: FileRange): Promise<number> {
    requireStream(this.transport, 'a connection of whole messages takes no file: send its parts as messages');
    this.runner.pendingReplies++;
    try {
      return await sendFileOver(this, path, range);
    } finally {
      this.runner.pendingReplies--;
      this.onHandlerSettled();
    }
  }

  startTls(options: TlsOptions | undefined): Promise<void> {
    return startTls(this, options);
  }

  get pipes(): ConnectionPipes {
    return (this.#pipes ??= new ConnectionPipes(this));
  }

  sendEncoded(bytes: Chunk | readonly Chunk[], to?: Remote): void {
    this.#timeouts.onSent();
    if (this.transport.kind === 'stream') this.sendBuffer.push(bytes);
    else if (this.transport.lossless) this.sendBuffer.pushMessage(bytes);
    else if (to || !this.transport.shared) this.sendBuffer.sendDatagram(datagramOf(bytes, this.transport, this.settings.plan.name), to);
  }

  reviewClocks(): void {
    this.#timeouts.reviewClocks();
  }

  #encode(value: unknown, framing: Framing<unknown, unknown>): Chunk | readonly Chunk[] {
    return encodeMessage(framing, value, this.settings.plan.name);
  }
}
