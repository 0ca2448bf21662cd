import { currentContext, type AsyncContext } from '../async-context.js';
import { clearTimeout, monotonicNow, nextTick, setImmediate, setTimeout } from '../system-timers.js';
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { realClock, type ClockTimer } from '../clock.js';
import { deadline } from '../deadline.js';
import { publish } from '../diagnostics.js';
import { guard, guardThis } from '../guard.js';
import type { VirtualPath } from './site.js';
import { listenPlaceOf } from './web-url.js';
import { answerAndClose } from './refuse.js';
import { StandIn } from './stand-in.js';
import { peerGroup } from '../endpoints/address.js';
import { loopGate, SLICE } from '../timing/loop-gate.js';
import { readAgain, takenFrom } from '../node-internals.js';

/** Requests of one connection that are handled at once; further ones wait, and nothing more is read meanwhile. */
const MAX_UNDER_WAY = 16;
/** How long requests may wait without one of those before them being answered or sent in part, in milliseconds. */
const STALL = 30_000;
/** Requests of one connection that begin in one turn of the event loop; after SLICE milliseconds others get their turn anyway. */
const SHARE = 128;
/** Requests that begin before a turn is counted at all: a connection that sends one at a time does without. */
const UNCOUNTED = 8;

const CONNECTION = Symbol('http connection');

interface Known extends Socket {
  [CONNECTION]?: HttpConnection;
}

/** The connection that is served on a socket; undefined: the socket did not come from a server of ours. */
export function connectionOn(socket: Socket): HttpConnection | undefined {
  return (socket as Known)[CONNECTION];
}

const onAnswered = guardThis(
  ({ req }: ServerResponse) => req.socket,
  function (this: ServerResponse) {
    connectionOn(this.req.socket)?.onAnswered(this);
  },
);

/** The server of a connection. */
export interface HttpConnectionHost {
  /** Undefined: no endpoint answers it. */
  siteOf(request: IncomingMessage): VirtualPath | undefined;
  serve(request: IncomingMessage, response: ServerResponse, site: VirtualPath | undefined): void;
  /** Counts it no more. */
  onClosed(socket: Socket): void;
  /** Time limit of a request's head in milliseconds. */
  readonly headTimeout: number;
}

/** A request that is being answered. */
interface UnderWay {
  readonly response: ServerResponse;
  /** The path that answers it. */
  readonly site: VirtualPath | undefined;
}

/** A request that has come in. */
interface Exchanged {
  /** In which it came in: it begins when another one has ended. */
  readonly context: AsyncContext;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

let lastId = 0;

/**
 * The requests of one socket that are not answered. It decides when each begins, and sees to it that each has an end: Node tells only
 * the response whose turn it is that the socket has closed, those that wait for their turn are told here.
 */
export class HttpConnection {
  readonly socket: Socket;
  readonly #host: HttpConnectionHost;
  #id: string | undefined;
  /** Requests that have begun and are not answered; oldest first. An array: in a `Map` each would outlive its time. */
  readonly #underWay: UnderWay[] = [];
  /** Received, not begun; oldest first. */
  #waiting: Exchanged[] = [];
  /** Called once nothing is left to answer. */
  #whenIdle: (() => void) | undefined;
  /** Requests begun since the count of this turn was last reset, and when counting began. */
  #begun = 0;
  #since = 0;
  /** How much of it waits at the gate of the event loop: no request begins meanwhile. */
  #atGate = 0;
  /** Passes the gate. */
  #isPassing = false;
  #paused = false;
  /** Node has let go of the socket for an upgrade: another reader decides when it is read. */
  #isGivenAway = false;
  #watchesResume = false;
  /** The head of a request became late while nothing was read. */
  #hasLateHead = false;
  /** The time of such a head, from when it is read again. */
  #headTimer: ClockTimer | undefined;
  #stall: NodeJS.Timeout | undefined;
  #taken = 0;
  #closed = false;

  constructor(socket: Socket, host: HttpConnectionHost) {
    this.socket = socket;
    this.#host = host;
    (socket as Known)[CONNECTION] = this;
    socket.once(
      'close',
      guard(this, () => this.#over()),
    );
  }

  /** Never reused in this process. */
  get id(): string {
    return (this.#id ??= `${process.pid.toString(36)}~${(++lastId).toString(36)}`);
  }

  /** Responses under way for a path. */
  *answersOf(site: VirtualPath): Generator<ServerResponse, void> {
    for (const each of this.#underWay) if (each.site === site) yield each.response;
  }

  /** A request has come in: it begins now, or when those before it are answered. */
  take(request: IncomingMessage, response: ServerResponse): void {
    this.#headTimer?.cancel();
    if (this.#waiting.length === 0 && this.#mayBegin()) this.#begin(request, response);
    else {
      this.#waiting.push({ request, response, context: currentContext() });
      this.#flow();
    }
  }

  /** Closes the connection once what is under way is answered; what has not begun is dropped. */
  finish(): void {
    this.#dropWaiting();
    const newest = this.#underWay.at(-1)?.response;
    if (!newest) {
      this.socket.destroy();
      return;
    }
    if (!newest.headersSent) newest.shouldKeepAlive = false;
    newest.once(
      'close',
      guard(this.socket, () => this.socket.destroySoon()),
    );
  }

  /**
   * Calls `then` with all bytes that have come behind the request in hand, once everything before it is answered; never, if the socket
   * closes before. Node has let go of the socket: it reads no more requests from it.
   * @param head what has come already.
   */
  whenAnswered(head: Buffer, then: (head: Buffer) => void): void {
    this.#headTimer?.cancel();
    this.#isGivenAway = true;
    if (this.#paused) {
      this.#paused = false;
      readAgain(this.socket);
    }
    if (this.#isIdle) {
      then(head);
      return;
    }
    const standIn = new StandIn(this.socket, () => this.current);
    standIn.collect(head);
    this.#whenIdle = () => then(standIn.leave());
  }

  /** The response that the socket belongs to now. */
  get current(): ServerResponse | undefined {
    for (const { response } of this.#underWay) if (response.socket === this.socket) return response;
    return undefined;
  }

  get #isIdle(): boolean {
    return this.#underWay.length === 0 && this.#waiting.length === 0;
  }

  #mayBegin(): boolean {
    if (this.#atGate > 0 || this.#underWay.length >= MAX_UNDER_WAY || this.#begun >= SHARE) return false;
    return this.#begun < UNCOUNTED || monotonicNow() - this.#since <= SLICE;
  }

  #begin(request: IncomingMessage, response: ServerResponse): void {
    if (++this.#begun === UNCOUNTED) {
      this.#since = monotonicNow();
      setImmediate(this.#nextTurn);
    }
    const site = this.#host.siteOf(request);
    this.#underWay.push({ response, site });
    response.on('close', onAnswered);
    const since = loopGate.begin();
    this.#host.serve(request, response, site);
    // At the gate its time is taken there.
    if (this.#isPassing ? loopGate.isHeldSince(since) : loopGate.owes(since)) this.queue(() => {});
  }

  /** Node has found that a request's head takes too long. True: it was not read meanwhile, and has its time when it is read again. */
  excusesLateHead(): boolean {
    return (this.#hasLateHead ||= this.#paused);
  }

  /** Answers what cannot be read as a request, unless that would stand in the midst of another answer. */
  refuse(status: number): void {
    if (this.current?.headersSent) this.socket.destroy();
    else answerAndClose(this.socket, status, STATUS_CODES[status]!);
  }

  /** Calls `then` when the connection's turn has come to do what may hold the event loop for long. */
  queue(then: () => void): void {
    this.#atGate++;
    const pass = guard(this, () => {
      this.#atGate--;
      this.#isPassing = true;
      then();
      this.#beginMore();
      this.#isPassing = false;
    });
    loopGate.enter(peerGroup(this.socket.remoteAddress ?? ''), pass, true);
  }

  readonly #nextTurn = guard(this, () => {
    this.#begun = 0;
    this.#beginMore();
  });

  /** Ends the connection because something of it failed. */
  destroy(): void {
    this.socket.destroy();
    if (this.socket.closed) this.#over();
  }

  /** A response has closed. */
  onAnswered(response: ServerResponse): void {
    const at = this.#underWay.findIndex(each => each.response === response);
    if (at >= 0) this.#underWay.splice(at, 1);
    if (this.#closed) return;
    this.#stall?.refresh();
    this.#beginMore();
    if (!this.#isIdle || !this.#whenIdle) return;
    const then = this.#whenIdle;
    this.#whenIdle = undefined;
    then();
  }

  #beginMore(): void {
    while (this.#waiting.length > 0 && !this.#closed && this.#mayBegin()) {
      const { request, response, context } = this.#waiting.shift()!;
      context.runInAsyncScope(() => this.#begin(request, response));
    }
    this.#flow();
  }

  #dropWaiting(): void {
    this.#waiting = [];
    this.#flow();
  }

  /** Reads the socket or not. Node resumes it by itself now and then, so it may have to be paused once more. */
  #flow(): void {
    const isWaiting = this.#waiting.length > 0;
    if (isWaiting) {
      this.#taken = takenFrom(this.socket);
      this.#stall ??= setTimeout(this.#stalled, STALL).unref();
    } else if (this.#stall) {
      clearTimeout(this.#stall);
      this.#stall = undefined;
    }
    if (isWaiting) this.#stopReading();
    else if (this.#paused) this.#readOn();
  }

  #readOn(): void {
    this.#paused = false;
    if (this.#closed) return;
    if (this.#hasLateHead) {
      this.#hasLateHead = false;
      this.#headTimer = deadline(
        realClock,
        this.#host.headTimeout,
        guard(this, () => this.refuse(408)),
      );
    }
    // Where Node has resumed it meanwhile, a further resume() would do nothing, and what it stopped reading for would last.
    this.socket.pause();
    this.socket.resume();
  }

  #stopReading(): void {
    if (this.#isGivenAway) return;
    const { socket } = this;
    if (!this.#watchesResume) {
      this.#watchesResume = true;
      // Node resumes a socket for the body of any request of it. 'pause' is what it stops reading for, whatever the stream's state.
      socket.on(
        'resume',
        guard(socket, () => void (this.#paused && socket.emit('pause'))),
      );
    }
    this.#paused = true;
    socket.pause();
  }

  /** A client that is not read cannot be seen to leave, so it must not stay like this for ever. */
  readonly #stalled = guard(this, () => {
    this.#stall = undefined;
    if (this.#atGate > 0 || takenFrom(this.socket) > this.#taken) {
      this.#flow();
      return;
    }
    publish('connection.limit', { limit: 'pipelining', remote: listenPlaceOf('http', this.socket.remoteAddress, this.socket.remotePort) });
    this.socket.destroy();
  });

  /** The socket has closed. */
  #over(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#headTimer?.cancel();
    this.#host.onClosed(this.socket);
    this.#dropWaiting();
    this.#whenIdle = undefined;
    const left = this.#underWay.map(({ response }) => response);
    const tellClosed = guard(this, (response: ServerResponse) => void response.emit('close'));
    for (const response of left) {
      // Node tells the one that has the socket.
      if (response.socket) continue;
      response.destroy();
      tellClosed(response);
    }
    // Node aborts their requests, too, unless it has let go of the socket before.
    nextTick(() => {
      for (const { req } of left) req.destroy();
    });
  }
}
