import type { CloseReason, ExitStatus } from '../decorators/hook-types.js';
import type { Chunk } from '../framing/framing.js';
import { abortReason, closeReason, reasonOfError, reasonOfTransport, isCausedByClosing } from './close-reasons.js';
import type { ConnectionParts } from './connection-parts.js';
import { runFinalHooks } from './final-hooks.js';
import { HalfCloseGrace } from './timeouts/half-close-grace.js';
import { PauseReason } from './inbound/read-loop.js';

/** The life of a connection; it only moves forward. */
const State = {
  OPEN: 0,
  /** The connection ends as soon as no reply is pending. */
  ENDING: 1,
  /** Our direction has ended; the peer's may not have. */
  ENDED: 2,
  /** The transport is closed; handlers may still be at it. */
  CLOSED: 3,
  /** `@OnClose` has been called. */
  FINISHED: 4,
} as const;

/** How long `@OnClose` waits for handlers that do not finish. */
const STRAGGLERS = 5_000;

/** How one connection ends: once, for one reason, politely where there is time for it. Only here does its state change. */
export class ConnectionState {
  readonly #session: ConnectionParts;
  #state: number = State.OPEN;
  #reason: CloseReason | undefined;
  /** The message of `end(message)`, encoded. */
  #farewell: Chunk | readonly Chunk[] | undefined;
  /** The peer has finished. */
  #peerEnded = false;
  /** FIN was received and every message before it has been handled. */
  #allHandled = false;
  /** `@OnEnd` was called. */
  #onEndCalled = false;
  /** The peer reads no more. */
  #peerStoppedReading = false;
  /** `halfClose()` was called: the peer's messages are still handled. */
  #halfClosing = false;
  /** A reply was cut short: as soon as its bytes are with the kernel, the connection is reset, not ended with FIN. */
  #endsWithReset = false;
  /** The transport has closed, after our halfClose(), while received messages are still queued: closing waits for them. */
  #closesAfterMessages = false;
  #status: ExitStatus | undefined;
  /** Half-close limit: milliseconds that the peer may take to finish after us. */
  #limit: number;
  /** The application closes, so #limit does not change any more. */
  #limitIsFixed = false;
  /** The half-close timer; set once one side has finished. */
  #grace: HalfCloseGrace | undefined;
  /** `signal` is aborted: the connection has closed. */
  #isAborted = false;
  /** The error that it is aborted with. */
  #abortError: Error | undefined;
  #abort: AbortController | undefined;
  #finishTimer: Disposable | undefined;

  constructor(session: ConnectionParts) {
    this.#session = session;
    this.#limit = session.settings.limits.halfCloseGrace;
  }

  /** Nothing has begun to end it. */
  get isOpen(): boolean {
    return this.#state === State.OPEN;
  }

  /** Our direction ends as soon as nothing is due. */
  get isLeaving(): boolean {
    return this.#state === State.ENDING || (this.#halfClosing && this.#state === State.OPEN);
  }

  /** We have finished, and listen. */
  get isHalfClosed(): boolean {
    return this.#halfClosing && this.#state === State.ENDED && this.#reason === undefined;
  }

  /** Nothing can be sent any more. */
  get isOver(): boolean {
    return this.#state >= State.ENDED;
  }

  get isClosed(): boolean {
    return this.#state >= State.CLOSED;
  }

  get reason(): CloseReason | undefined {
    return this.#reason;
  }

  get peerHasEnded(): boolean {
    return this.#peerEnded;
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#isAborted) this.#abort.abort(this.#abortReason);
    }
    return this.#abort.signal;
  }

  isCauseOf(error: Error): boolean {
    return this.#isAborted && (error === this.#reason?.error || isCausedByClosing(error, this.#abortReason));
  }

  /** Made when it is asked for: an error with its stack costs more than all else that ends a connection. */
  get #abortReason(): Error {
    return (this.#abortError ??= abortReason(this.#reason!));
  }

  /** The first reason counts. */
  setReason(reason: CloseReason): void {
    this.#reason ??= reason;
  }

  /** Ends it when no reply is due any more, after the farewell; nothing more is read. */
  end(reason: CloseReason, farewell?: Chunk | readonly Chunk[], grace?: number): void {
    if (grace !== undefined) {
      this.#limit = Math.min(this.#limit, grace);
      this.#limitIsFixed = true;
    }
    if (this.isHalfClosed) {
      this.#stopReading(reason, State.ENDED);
      if (this.#closesAfterMessages) this.onClosed(undefined);
      else this.startGrace(this.#limit, this.#limitIsFixed);
      return;
    }
    if (this.#state !== State.OPEN) return;
    this.#farewell = farewell;
    this.#stopReading(reason, State.ENDING);
    this.advance();
  }

  /** Ends it with what has been sent so far. */
  endNow(reason: CloseReason): void {
    if (this.#state >= State.ENDED) return;
    this.#stopReading(reason, State.ENDING);
    this.#end();
  }

  /** Closes it at once: with a reset where an answer is cut off by that, so that the peer can tell. */
  destroy(reason: CloseReason): void {
    if (this.#state >= State.CLOSED) return;
    const cuts = this.#cutsAnswer;
    // The connection was ending, and the messages still to be sent will never arrive.
    if (cuts && (reason.by === 'limit' || reason.by === 'timeout') && this.#reason?.by !== 'error') this.#reason = reason;
    this.#stopReading(reason, State.ENDED);
    if (this.#closesAfterMessages) this.onClosed(undefined);
    else if (cuts) this.#reset();
    else this.#session.transport.destroy();
  }

  /** Closes it at once with a reset. */
  reset(reason: CloseReason): void {
    if (this.#state >= State.CLOSED) return;
    this.#stopReading(reason, State.ENDED);
    if (this.#closesAfterMessages) this.onClosed(undefined);
    else this.#reset();
  }

  /** Ends our direction when no reply is due; the peer is heard to its end. */
  requestHalfClose(): void {
    if (this.#state !== State.OPEN) return;
    this.#halfClosing = true;
    this.advance();
  }

  /** The peer is there only to be heard: a command that has exited. */
  onPeerStoppedReading(): void {
    this.#peerStoppedReading = true;
    this.advance();
  }

  /** Closes at once, without waiting for running handlers or for the transport's 'closed'. */
  finishNow(reason: CloseReason): void {
    this.destroy(reason);
    this.onClosed(undefined);
    this.#finish();
  }

  /** Closes a connection whose handler could not be made: no hook is called. */
  constructorFailed(error: Error): void {
    const { owner, deadlines, sendBuffer } = this.#session;
    this.#reason = reasonOfError(error);
    this.#isAborted = true;
    this.#state = State.FINISHED;
    deadlines.close();
    sendBuffer.close();
    this.#abort?.abort(this.#abortReason);
    owner?.abort(error);
    owner?.close();
  }

  /** Ends our direction and reads on: the end of a pipe. */
  endOurSide(): void {
    if (this.#state < State.ENDED) this.#end();
  }

  /** Its socket is on its way to another process: here nothing is heard or said any more. */
  beginMove(): void {
    this.#state = Math.max(this.#state, State.ENDED);
    this.#session.readLoop.hold(PauseReason.DISCARDING);
    this.#session.deadlines.clearPeerDeadlines();
  }

  /** The peer has finished. */
  onPeerEnd(): void {
    this.#peerEnded = true;
    const { settings, isPiped, transport, runner } = this.#session;
    if (transport.endsBoth) runner.stopStreams();
    if (this.#state < State.ENDED && !settings.allowHalfOpen && !isPiped) this.startGrace(settings.limits.halfCloseGrace);
  }

  /** The peer has finished, and all that it sent is handled. True the first time. */
  markAllHandled(): boolean {
    if (!this.#peerEnded || this.#allHandled) return false;
    return (this.#allHandled = true);
  }

  /** Moves the state on, after anything has happened that may allow it. */
  advance(): void {
    const { runner, settings, isPiped } = this.#session;
    if (this.#state >= State.CLOSED) {
      if (runner.isIdle) this.#finish();
      return;
    }
    if (runner.pendingReplies > 0) return;
    if (this.#halfClosing && this.#state === State.OPEN) this.#end();
    if (this.#closesAfterMessages && this.#allHandled) {
      this.onClosed(undefined);
      return;
    }
    if (this.#state === State.OPEN && this.#allHandled && (!isPiped || this.#peerStoppedReading)) {
      if (settings.allowHalfOpen && !this.#onEndCalled) {
        this.#onEndCalled = true;
        void runner.runHook('OnEnd', settings.plan.blueprint.hooks.end);
      }
      if (!settings.allowHalfOpen || this.#peerStoppedReading) this.end(closeReason('peer END'));
    }
    if (this.#state === State.ENDING) this.#end();
  }

  /** Everything sent is with the kernel. */
  onFlushed(): void {
    const { isPiped, transport } = this.#session;
    if (this.#state === State.ENDED && this.#endsWithReset) this.#reset();
    if (this.#state !== State.ENDED || isPiped || (this.#halfClosing && !this.#peerEnded)) return;
    if (transport.needsNoGoodbye) transport.destroy();
    // Also when the peer has finished: a command may have closed its stdout and run on.
    else this.startGrace(this.#limit, this.#limitIsFixed);
  }

  /** `halfCloseGrace`, once one side has finished. */
  get grace(): HalfCloseGrace | undefined {
    return this.#grace;
  }

  /** Gives the peer `limit` ms; `isFixed`: no more, whatever happens meanwhile. */
  startGrace(limit: number, isFixed = false): void {
    (this.#grace ??= new HalfCloseGrace(this.#session, this)).start(limit, { isFixed });
  }

  /** `halfCloseGrace` has passed without a byte that moved, and no handler ran. */
  onGraceExpired(): void {
    const { sendBuffer, settings } = this.#session;
    // Everything is with the system, or is read by nothing: nothing is waited for but the peer's own end.
    if ((this.#state >= State.ENDED || (this.#peerEnded && this.#session.transport.endsBoth)) && sendBuffer.isEmpty)
      this.destroy(closeReason('peer END'));
    else this.#session.closeForLimit('halfCloseGrace', `no byte moved for ${settings.limits.halfCloseGrace} ms after FIN (halfCloseGrace)`);
  }

  /** The command behind it has ended: told when everything that it said is handled. */
  onExit(status: ExitStatus): void {
    this.#status = status;
  }

  /** The transport is closed. */
  onClosed(error: Error | undefined): void {
    if (this.#state >= State.CLOSED) return;
    const { host, owner, runner, readLoop, deadlines, sendBuffer, settings } = this.#session;
    const unforeseen = this.#reason === undefined;
    this.#closesAfterMessages =
      this.#halfClosing && unforeseen && !error && this.#peerEnded && !(this.#allHandled && runner.pendingReplies === 0);
    if (this.#closesAfterMessages) return;
    if (this.#status) void runner.runHook('OnExit', settings.plan.blueprint.hooks.exit, this.#status);
    const reason = (this.#reason ??= reasonOfTransport(error));
    this.#isAborted = true;
    this.#state = State.CLOSED;
    readLoop.hold(PauseReason.DISCARDING);
    deadlines.close();
    sendBuffer.close();
    this.#session.onTransportClosed();
    if (this.#abort) this.#session.context.runInAsyncScope(() => this.#abort!.abort(this.#abortReason));
    if (owner?.hasCalls) owner.abort(this.#abortReason);
    runner.stopStreams();
    if (unforeseen && error && reason.by === 'error') void runner.reportError(error, { during: 'socket' });
    if (runner.isIdle) {
      this.#finish();
      return;
    }
    const late = host.clock.after(STRAGGLERS, () => this.#finish());
    this.#finishTimer = { [Symbol.dispose]: () => late.cancel() };
  }

  #stopReading(reason: CloseReason, state: number): void {
    this.#reason ??= reason;
    this.#state = Math.max(this.#state, state);
    this.#session.readLoop.hold(PauseReason.DISCARDING);
    this.#session.deadlines.clearPeerDeadlines();
  }

  #end(): void {
    this.#state = State.ENDED;
    const { sendBuffer, transport } = this.#session;
    if (this.#farewell !== undefined) this.#session.sendEncoded(this.#farewell);
    this.#farewell = undefined;
    sendBuffer.flush();
    this.#endsWithReset = sendBuffer.isBrokenOff && transport.reset !== undefined && this.#reason?.by !== 'local';
    if (!this.#endsWithReset) transport.end(this.#reason);
    if (sendBuffer.isEmpty) this.onFlushed();
  }

  /** Bytes wait to be sent, or the rest of an answer would have followed. */
  get #cutsAnswer(): boolean {
    const { runner, sendBuffer, isPiped } = this.#session;
    return isPiped || runner.isStreaming || sendBuffer.isBrokenOff || !sendBuffer.isEmpty;
  }

  #reset(): void {
    const { transport } = this.#session;
    if (transport.reset) transport.reset();
    else transport.destroy();
  }

  #finish(): void {
    if (this.#state === State.FINISHED) return;
    this.#state = State.FINISHED;
    this.#finishTimer?.[Symbol.dispose]();
    void runFinalHooks(this.#session, this.#reason!).then(() => this.#session.onFinished());
  }
}
