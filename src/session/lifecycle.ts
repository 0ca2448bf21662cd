import type { AsyncContext } from '../async-context.js';
import type { CloseReason, ExitStatus } from '../decorators/hook-types.js';
import type { Transport } from '../endpoints/endpoint.js';
import type { Chunk } from '../framing/framing.js';
import type { Owner } from '../workers/call/owner.js';
import { abortReason, reasonOfError, reasonOfTransport, isCausedByClosing } from './close-reason.js';
import type { ConnectionDeadlines } from './timeouts/deadlines.js';
import { finalHooks } from './final-hooks.js';
import { HalfCloseGrace } from './timeouts/half-close-grace.js';
import type { HandlerRunner } from './handler/handler-runner.js';
import type { SendBuffer } from './outbound/send-buffer.js';
import type { Built } from './handler/handler-types.js';
import { PauseReason, type ReadLoop } from './inbound/read-loop.js';
import type { SessionHost } from './session-host.js';
import type { Settings } from './settings.js';

/** The life of a connection; it only moves forward. */
const State = {
  OPEN: 0,
  /** It ends as soon as no reply is due. */
  LEAVING: 1,
  /** Our direction has ended; the peer's may not have. */
  ENDED: 2,
  /** The transport is closed; handlers may still be at it. */
  GONE: 3,
  /** `@OnClose` has been called. */
  FINISHED: 4,
} as const;

/** How long `@OnClose` waits for handlers that do not finish. */
const STRAGGLERS = 5_000;

/** The session, as its ending sees it. */
export interface ConnectionStateHost {
  readonly id: string;
  readonly host: SessionHost;
  readonly settings: Settings;
  readonly transport: Transport;
  readonly readLoop: ReadLoop;
  readonly sendBuffer: SendBuffer;
  readonly runner: HandlerRunner;
  readonly deadlines: ConnectionDeadlines;
  readonly owner: Owner | undefined;
  readonly context: AsyncContext;
  readonly built: Built;
  readonly state: ConnectionState;
  /** Its bytes flow to another peer, or another's to it: half-closed, it stays. */
  readonly isPiped: boolean;
  /** Publishes that a limit was exceeded, and closes it for that. */
  exceeded(limit: string, message: string, by?: 'limit' | 'timeout'): void;
  /** Sends what is encoded. */
  say(encoded: Chunk | readonly Chunk[]): void;
  /** The transport is closed: lets go of everything that waits for it. */
  released(): void;
  /** `@OnClose` has settled. */
  finished(): void;
}

/** How one connection ends: once, for one reason, politely where there is time for it. Only here does its state change. */
export class ConnectionState {
  readonly #session: ConnectionStateHost;
  #state: number = State.OPEN;
  #reason: CloseReason | undefined;
  /** The message of `end(message)`, encoded. */
  #farewell: Chunk | readonly Chunk[] | undefined;
  /** The peer has finished. */
  #finned = false;
  /** And all that it said is handled. */
  #heard = false;
  /** And `@OnEnd` has been told. */
  #told = false;
  /** The peer cannot hear us any more. */
  #unheard = false;
  /** `halfClose()` was called: what the peer says is still handled. */
  #halving = false;
  /** An answer was broken off: as soon as what was sent of it is with the kernel, the connection is reset, not finished. */
  #resets = false;
  /** Half-closed by us, then by the peer: the transport was closed before all that had come was handled. */
  #late = false;
  #status: ExitStatus | undefined;
  /** How long the peer may take to finish after us, in milliseconds. */
  #limit: number;
  /** That is fixed: the application closes. */
  #limitIsFixed = false;
  /** Once one side has finished. */
  #grace: HalfCloseGrace | undefined;
  /** What `signal` is aborted with; there once the connection is gone. */
  #aborted: Error | undefined;
  #abort: AbortController | undefined;
  #stragglers: Disposable | undefined;

  constructor(session: ConnectionStateHost) {
    this.#session = session;
    this.#limit = session.settings.limits.halfCloseGrace;
  }

  /** Nothing has begun to end it. */
  get isOpen(): boolean {
    return this.#state === State.OPEN;
  }

  /** Our direction ends as soon as nothing is due. */
  get isLeaving(): boolean {
    return this.#state === State.LEAVING || (this.#halving && this.#state === State.OPEN);
  }

  /** We have finished, and listen. */
  get isHalfClosed(): boolean {
    return this.#halving && this.#state === State.ENDED && this.#reason === undefined;
  }

  /** Nothing can be sent any more. */
  get isOver(): boolean {
    return this.#state >= State.ENDED;
  }

  get isClosed(): boolean {
    return this.#state >= State.GONE;
  }

  get reason(): CloseReason | undefined {
    return this.#reason;
  }

  get peerHasEnded(): boolean {
    return this.#finned;
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#aborted) this.#abort.abort(this.#aborted);
    }
    return this.#abort.signal;
  }

  causes(error: Error): boolean {
    return this.#aborted !== undefined && (error === this.#reason?.error || isCausedByClosing(error, this.#aborted));
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
      this.#deaf(reason, State.ENDED);
      if (this.#late) this.onClosed(undefined);
      else this.startGrace(this.#limit, this.#limitIsFixed);
      return;
    }
    if (this.#state !== State.OPEN) return;
    this.#farewell = farewell;
    this.#deaf(reason, State.LEAVING);
    this.step();
  }

  /** Ends it with what has been sent so far. */
  endNow(reason: CloseReason): void {
    if (this.#state >= State.ENDED) return;
    this.#deaf(reason, State.LEAVING);
    this.#end();
  }

  /** Closes it at once: with a reset where an answer is cut off by that, so that the peer can tell. */
  destroy(reason: CloseReason): void {
    if (this.#state >= State.GONE) return;
    const cuts = this.#cutsAnswer;
    // It was ending, and what was to be sent before will never arrive.
    if (cuts && (reason.by === 'limit' || reason.by === 'timeout') && this.#reason?.by !== 'error') this.#reason = reason;
    this.#deaf(reason, State.ENDED);
    if (this.#late) this.onClosed(undefined);
    else if (cuts) this.#reset();
    else this.#session.transport.destroy();
  }

  /** Closes it at once with a reset. */
  reset(reason: CloseReason): void {
    if (this.#state >= State.GONE) return;
    this.#deaf(reason, State.ENDED);
    if (this.#late) this.onClosed(undefined);
    else this.#reset();
  }

  /** Ends our direction when no reply is due; the peer is heard to its end. */
  requestHalfClose(): void {
    if (this.#state !== State.OPEN) return;
    this.#halving = true;
    this.step();
  }

  /** The peer is there only to be heard: a command that has exited. */
  unheard(): void {
    this.#unheard = true;
    this.step();
  }

  /** Closes it at once and waits for nobody: neither for handlers that are still at it, nor for the transport's word. */
  finishNow(reason: CloseReason): void {
    this.destroy(reason);
    this.onClosed(undefined);
    this.#finish();
  }

  /** Its handler could not be made: whatever that has begun with its peer is over, and nobody is told. */
  constructorFailed(error: Error): void {
    const { owner, deadlines, sendBuffer } = this.#session;
    this.#reason = reasonOfError(error);
    this.#aborted = abortReason(this.#reason);
    this.#state = State.FINISHED;
    deadlines.close();
    sendBuffer.close();
    this.#abort?.abort(this.#aborted);
    owner?.abort(error);
    owner?.close();
  }

  /** Ends our direction and reads on: the end of a pipe. */
  halfClose(): void {
    if (this.#state < State.ENDED) this.#end();
  }

  /** Its socket is on its way to another process: here nothing is heard or said any more. */
  moving(): void {
    this.#state = Math.max(this.#state, State.ENDED);
    this.#session.readLoop.hold(PauseReason.DEAF);
    this.#session.deadlines.hush();
  }

  /** The peer has finished. */
  onPeerEnd(): void {
    this.#finned = true;
    const { settings, isPiped, transport, runner } = this.#session;
    if (transport.endsBoth) runner.stop();
    if (this.#state < State.ENDED && !settings.allowHalfOpen && !isPiped) this.startGrace(settings.limits.halfCloseGrace);
  }

  /** The peer has finished, and all that it sent is handled. True the first time. */
  hasHandledAll(): boolean {
    if (!this.#finned || this.#heard) return false;
    return (this.#heard = true);
  }

  /** What comes next, now that something has been done. */
  step(): void {
    const { runner, settings, isPiped } = this.#session;
    if (this.#state >= State.GONE) {
      if (runner.quiet) this.#finish();
      return;
    }
    if (runner.due > 0) return;
    if (this.#halving && this.#state === State.OPEN) this.#end();
    if (this.#late && this.#heard) {
      this.onClosed(undefined);
      return;
    }
    if (this.#state === State.OPEN && this.#heard && (!isPiped || this.#unheard)) {
      if (settings.allowHalfOpen && !this.#told) {
        this.#told = true;
        void runner.hook('OnEnd', settings.plan.blueprint.hooks.end);
      }
      if (!settings.allowHalfOpen || this.#unheard) this.end({ by: 'peer', code: 'END' });
    }
    if (this.#state === State.LEAVING) this.#end();
  }

  /** Everything sent is with the kernel. */
  onFlushed(): void {
    const { isPiped, transport } = this.#session;
    if (this.#state === State.ENDED && this.#resets) this.#reset();
    if (this.#state !== State.ENDED || isPiped || (this.#halving && !this.#finned)) return;
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
    (this.#grace ??= new HalfCloseGrace(this.#session)).start(limit, { isFixed });
  }

  /** `halfCloseGrace` has passed without a byte that moved, and no handler ran. */
  onGraceExpired(): void {
    const { sendBuffer, settings } = this.#session;
    // Everything is with the system, or is read by nothing: nothing is waited for but the peer's own end.
    if ((this.#state >= State.ENDED || (this.#finned && this.#session.transport.endsBoth)) && sendBuffer.empty)
      this.destroy({ by: 'peer', code: 'END' });
    else
      this.#session.exceeded(
        'halfCloseGrace',
        `no byte moved for ${settings.limits.halfCloseGrace} ms after FIN (halfCloseGrace)`,
        'timeout',
      );
  }

  /** The command behind it has ended: told when everything that it said is handled. */
  onExit(status: ExitStatus): void {
    this.#status = status;
  }

  /** The transport is closed. */
  onClosed(error: Error | undefined): void {
    if (this.#state >= State.GONE) return;
    const { host, owner, runner, readLoop, deadlines, sendBuffer, settings } = this.#session;
    const unforeseen = this.#reason === undefined;
    this.#late = this.#halving && unforeseen && !error && this.#finned && !(this.#heard && runner.due === 0);
    if (this.#late) return;
    if (this.#status) void runner.hook('OnExit', settings.plan.blueprint.hooks.exit, this.#status);
    const reason = (this.#reason ??= reasonOfTransport(error));
    const aborted = (this.#aborted = abortReason(reason));
    this.#state = State.GONE;
    readLoop.hold(PauseReason.DEAF);
    deadlines.close();
    sendBuffer.close();
    this.#session.released();
    if (this.#abort) this.#session.context.runInAsyncScope(() => this.#abort!.abort(aborted));
    owner?.abort(aborted);
    runner.stop();
    if (unforeseen && error && reason.by === 'error') void runner.tell(error, { during: 'socket' });
    if (runner.quiet) {
      this.#finish();
      return;
    }
    const late = host.clock.after(STRAGGLERS, () => this.#finish());
    this.#stragglers = { [Symbol.dispose]: () => late.cancel() };
  }

  #deaf(reason: CloseReason, state: number): void {
    this.#reason ??= reason;
    this.#state = Math.max(this.#state, state);
    this.#session.readLoop.hold(PauseReason.DEAF);
    this.#session.deadlines.hush();
  }

  #end(): void {
    this.#state = State.ENDED;
    const { sendBuffer, transport } = this.#session;
    if (this.#farewell !== undefined) this.#session.say(this.#farewell);
    this.#farewell = undefined;
    sendBuffer.flush();
    this.#resets = sendBuffer.brokenOff && transport.reset !== undefined && this.#reason?.by !== 'local';
    if (!this.#resets) transport.end(this.#reason);
    if (sendBuffer.empty) this.onFlushed();
  }

  /** Bytes wait to be sent, or the rest of an answer would have followed. */
  get #cutsAnswer(): boolean {
    const { runner, sendBuffer, isPiped } = this.#session;
    return isPiped || runner.isStreaming || sendBuffer.brokenOff || !sendBuffer.empty;
  }

  #reset(): void {
    const { transport } = this.#session;
    if (transport.reset) transport.reset();
    else transport.destroy();
  }

  #finish(): void {
    if (this.#state === State.FINISHED) return;
    this.#state = State.FINISHED;
    this.#stragglers?.[Symbol.dispose]();
    void finalHooks(this.#session, this.#reason!).then(() => this.#session.finished());
  }
}
