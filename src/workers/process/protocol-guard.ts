import type { WorkerBlueprint } from '../../blueprint/types.js';
import { asError, ProtocolError } from '../../errors.js';
import { Kind, MOST_STATUS, MOST_STRAY, PROTOCOL_VERSION, UPWARD, type HelloMessage } from '../../wire/link/protocol.js';
import type { Body, LinkReceiver } from '../../wire/link/types.js';
import type { Call } from '../call/call.js';
import { unreadableOutput } from '../call/call-target.js';
import type { InFlightCalls } from './in-flight.js';
import type { ProfileReceiver } from './profile-receiver.js';
import type { RecordReceiver } from './record-receiver.js';
import type { SocketLedger } from '../sockets/socket-ledger.js';
import { CreditKind, readCredit } from '../../wire/link/credit.js';

/** Receives the messages of a process that keep the protocol. */
export interface ProtocolGuardHost {
  readonly inFlight: InFlightCalls;
  /** One line of a stack: where errors of this process were made. */
  readonly stackLine: string;
  /**
   * The process takes calls from now on; `indexes`: its number of each task, `context`: whether the task looks at its context; `mail`:
   * whether the mailbox does.
   */
  onReady(indexes: readonly number[], context: readonly boolean[], mail: boolean): void;
  /** `permanent`: the next one would fail in the same way. */
  onBootFailure(error: Error, permanent: boolean): void;
  onPong(nonce: number): void;
  onStatus(value: unknown): void;
  readonly sockets: Pick<SocketLedger, 'onAck' | 'onClosed' | 'onDrained'>;
  onConnectionCounts(connections: number, inbound: number): void;
  onListening(message: unknown): void;
  readonly records: Pick<RecordReceiver, 'receive'>;
  readonly profiles: Pick<ProfileReceiver, 'receive'>;
  onUnsolicited(body: Body): void;
  /** `fatal`: its process ends for it. `size`: bytes that it came in. */
  onUncaughtError(error: Error, fatal: boolean, size: number): void;
  /** Something about a call that it makes to another worker. */
  onNestedCallMessage(kind: number, id: number, arg: number, body: Body): void;
  /** The process takes no more calls. */
  drain(): void;
  onBurst(freed: boolean): void;
  onDrained(): void;
  onLinkClosed(error?: Error): void;
}

/** HELLO has not come, READY has not come, at work. */
type Phase = 'booting' | 'starting' | 'working';

const AT_WORK_ONLY: ReadonlySet<number> = new Set([Kind.REPLY, Kind.ITEM, Kind.END, Kind.CREDIT, Kind.DROPPED, Kind.EVENT, Kind.PONG]);

/** Master and worker come from the same declarations: its tasks must be ours. */
function checkHello(value: unknown, worker: WorkerBlueprint): { indexes: number[]; context: boolean[]; mail: boolean } {
  const { version, name, tasks, context, mail } = (value ?? {}) as Partial<HelloMessage>;
  if (version !== PROTOCOL_VERSION)
    throw new ProtocolError(`it speaks version ${String(version)} of the protocol, not ${PROTOCOL_VERSION}`);
  if (name !== worker.name || !Array.isArray(tasks) || !Array.isArray(context))
    throw new ProtocolError('its first message names no worker');
  const indexes = [...worker.tasks.keys()].map(task => tasks.indexOf(task));
  const missing = [...worker.tasks.keys()].find((_, index) => indexes[index] === -1);
  if (missing !== undefined) throw new ProtocolError(`its ${worker.name} has no task ${missing}: it was built from another source`);
  return { indexes, context: indexes.map(index => context[index] === true), mail: mail === true };
}

/**
 * Everything that one process writes to its link. It is not trusted: what the protocol does not allow at this moment is thrown as a
 * ProtocolError, which breaks the link and costs the process its life.
 */
export class ProtocolGuard implements LinkReceiver {
  readonly #worker: WorkerBlueprint;
  readonly #desk: ProtocolGuardHost;
  readonly #onRemoteExit: ((value: unknown) => void) | undefined;
  #phase: Phase = 'booting';
  #hello: ReturnType<typeof checkHello> | undefined;

  /** @param ended it stands for a machine, and tells how processes there have ended */
  constructor(worker: WorkerBlueprint, desk: ProtocolGuardHost, ended?: (value: unknown) => void) {
    this.#worker = worker;
    this.#desk = desk;
    this.#onRemoteExit = ended;
  }

  onMessage(kind: number, id: number, arg: number, body: Body): void {
    const { inFlight } = this.#desk;
    if (kind === Kind.REPLY && this.#phase === 'working' && id < UPWARD) {
      inFlight.beginBurst();
      const call = inFlight.expect(id);
      if (call.isStream) throw new ProtocolError(`it answers call ${id}, which is a stream, at once`);
      if (call.events !== undefined) call.events.flush();
      const large = call.spendLarge();
      try {
        call.onAnswer(body, arg);
      } catch (error) {
        call.fail(unreadableOutput(call.target, error));
      }
      inFlight.onAnswer(arg, large);
      inFlight.release(call);
      return;
    }
    if (this.#phase === 'booting' && kind !== Kind.HELLO && kind !== Kind.FAILURE) throw new ProtocolError(`message ${kind} before HELLO`);
    if (id >= UPWARD) return this.#desk.onNestedCallMessage(kind, id, arg, body);
    if (this.#phase !== 'working' && AT_WORK_ONLY.has(kind)) throw new ProtocolError(`message ${kind} before READY`);
    inFlight.beginBurst();
    this.#dispatch(kind, id, arg, body);
  }

  onBurst(): void {
    this.#desk.onBurst(this.#desk.inFlight.endBurst());
  }

  onDrained(): void {
    this.#desk.onDrained();
  }

  onClosed(error?: Error): void {
    this.#desk.onLinkClosed(error);
  }

  #dispatch(kind: number, id: number, arg: number, body: Body): void {
    const desk = this.#desk;
    switch (kind) {
      case Kind.HELLO:
        if (this.#phase !== 'booting') throw new ProtocolError('a second HELLO');
        this.#hello = checkHello(body.value(), this.#worker);
        this.#phase = 'starting';
        return;
      case Kind.READY:
        if (this.#phase !== 'starting') throw new ProtocolError('a second READY');
        this.#phase = 'working';
        return desk.onReady(this.#hello!.indexes, this.#hello!.context, this.#hello!.mail);
      case Kind.FAILURE:
        return id === 0 ? this.#onBootFailure(arg === 1, body) : this.#onFailure(desk.inFlight.expect(id), body);
      case Kind.ITEM:
        return this.#onItem(desk.inFlight.expect(id), arg, body);
      case Kind.END:
        return this.#onEnd(desk.inFlight.expect(id), arg);
      case Kind.DROPPED:
        return this.#onDropped(desk.inFlight.expect(id));
      case Kind.EVENT:
        return this.#onEvent(desk.inFlight.find(id), body);
      case Kind.CREDIT:
        return this.#onCredit(desk.inFlight.find(id), arg, body);
      case Kind.STATUS:
        if (body.length > MOST_STATUS) throw new ProtocolError(`a status of ${body.length} bytes, which may have ${MOST_STATUS}`);
        return desk.onStatus(body.value());
      case Kind.CONNECTIONS:
        return desk.onConnectionCounts(arg, id);
      case Kind.SOCKET_ACK:
        return desk.sockets.onAck(id, arg);
      case Kind.SOCKET_CLOSED:
        return desk.sockets.onClosed(id);
      case Kind.DRAINED:
        return desk.sockets.onDrained(arg);
      case Kind.LISTENS:
        return desk.onListening(body.value());
      case Kind.STRAY:
        if (body.length > MOST_STRAY) throw new ProtocolError(`an error of ${body.length} bytes, which may have ${MOST_STRAY}`);
        return desk.onUncaughtError(asError(body.value()), arg === 1, body.length);
      case Kind.LOG:
        return desk.records.receive(id, arg, body);
      case Kind.PROFILE:
        return desk.profiles.receive(id, arg, body);
      case Kind.PONG:
        return desk.onPong(arg);
      case Kind.LEAVE:
        return desk.drain();
      case Kind.ENDED:
        if (!this.#onRemoteExit) throw new ProtocolError('it tells of the end of processes, and is one itself');
        return this.#onRemoteExit(body.value());
      case Kind.MESSAGE:
        return desk.onUnsolicited(body);
      default:
        throw new ProtocolError(`message of kind ${kind}, which a worker never sends`);
    }
  }

  #onBootFailure(permanent: boolean, body: Body): void {
    if (this.#phase === 'working') throw new ProtocolError('it says that it cannot start, after READY');
    this.#desk.onBootFailure(asError(body.value()), permanent);
  }

  #onFailure(call: Call, body: Body): void {
    if (this.#phase !== 'working') throw new ProtocolError('FAILURE before READY');
    call.hasEvidence = true;
    call.events?.flush();
    if (!call.isSettled) call.fail(asError(body.value()), this.#desk.stackLine);
    const { inFlight } = this.#desk;
    inFlight.failed++;
    inFlight.release(call);
  }

  #onItem(call: Call, arg: number, body: Body): void {
    if (arg !== 0) throw new ProtocolError(`an item of the caller's own stream for call ${call.id}`);
    const { inFlight } = this.#desk;
    call.onItem(body, inFlight.now(), inFlight.unread);
    inFlight.restartDeadline(call);
  }

  #onEnd(call: Call, arg: number): void {
    if (arg !== 0 || !call.isStream) throw new ProtocolError(`the end of a stream that call ${call.id} does not have`);
    call.events?.flush();
    call.onEnd();
    const { inFlight } = this.#desk;
    inFlight.done++;
    inFlight.release(call);
  }

  #onDropped(call: Call): void {
    if (call.cancelled < 0) throw new ProtocolError(`it drops call ${call.id}, which was not cancelled`);
    this.#desk.inFlight.release(call);
  }

  #onEvent(call: Call | undefined, body: Body): void {
    // Its own last words may cross our knowledge that the call is over.
    if (!call) return;
    const events = (call.events ??= this.#desk.inFlight.eventReceiver(call));
    if (call.isSettled) events.close();
    call.hasEvidence = true;
    events.receive(body, `an event of call ${call.id}`);
  }

  #onCredit(call: Call | undefined, arg: number, body: Body): void {
    const { kind, ...room } = readCredit(arg, body);
    if (kind !== CreditKind.sends) throw new ProtocolError('credit for what it does not receive');
    if (!call) return;
    if (!call.sender) throw new ProtocolError(`credit for call ${call.id}, which sends nothing`);
    call.hasEvidence = true;
    call.sender.grant(room);
  }
}
