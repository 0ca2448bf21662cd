import type { Clock, ClockTimer } from '../../clock.js';
import { observed, publish } from '../../diagnostics.js';
import { ProtocolError } from '../../errors.js';
import { CreditKind, INITIAL_ROOM, ReceiveWindow, sendCredit } from '../../wire/link/credit.js';
import { MOST_RECORD } from '../../wire/link/protocol.js';
import type { Body, Link } from '../../wire/link/types.js';
import type { Caller } from '../../decorators/worker/task-types.js';
import type { ProcessNames } from '../event-names.js';

/** Bytes of records of one process that are taken in one go, and in a second in the long run. */
const BURST = 1024 * 1024;
const PER_SECOND = 256 * 1024;
/** Bytes that a record counts besides its own: what a line costs the logger. */
const OVERHEAD = 256;

/** The call in which something was logged. */
interface RecordingCall {
  readonly target: { readonly name: string };
  readonly owner: { readonly caller: Caller };
}

/** The process whose records are received. */
export interface RecordSource {
  readonly link: Link;
  readonly clock: Clock;
  names(): ProcessNames;
  /** Its calls by number. */
  readonly inFlight: { get(id: number): RecordingCall | undefined };
}

/** Takes what a process logs, and publishes it. The process is not trusted: a flood of records waits there, and costs it those that find no room. */
export class RecordReceiver {
  readonly #source: RecordSource;
  readonly #window = new ReceiveWindow(INITIAL_ROOM.records);
  /** Sizes of records above the quota: room for as many is given when their time has come. */
  readonly #pending: number[] = [];
  #timer: ClockTimer | undefined;
  /** Bytes taken beyond what the time since then pays for. */
  #spent = 0;
  #at = 0;

  constructor(source: RecordSource) {
    this.#source = source;
  }

  /** Throws ProtocolError for what no worker of ours sends. */
  receive(call: number, level: number, body: Body): void {
    const size = body.length;
    if (size > MOST_RECORD + OVERHEAD) throw new ProtocolError(`a record of ${size} bytes, which may have ${MOST_RECORD}`);
    if (!this.#window.received(size)) throw new ProtocolError('a record without credit');
    if (observed('worker.log')) this.#publish(call, level, body.value());
    this.#spent += size + OVERHEAD;
    const over = this.#overdrawn();
    if (over <= 0) return this.#onDealtWith(size);
    this.#pending.push(size);
    this.#timer ??= this.#source.clock.after((over / PER_SECOND) * 1000, this.#onTime);
  }

  /** The process is gone. */
  close(): void {
    this.#timer?.cancel();
  }

  #publish(call: number, level: number, value: unknown): void {
    const [time, record, message, untold] = Array.isArray(value) ? (value as unknown[]) : [];
    const fits =
      typeof time === 'number' &&
      Number.isSafeInteger(time) &&
      typeof record === 'object' &&
      record !== null &&
      !Array.isArray(record) &&
      (message === undefined || typeof message === 'string') &&
      typeof untold === 'number';
    if (!fits) throw new ProtocolError('a record that is none');
    const { inFlight, names } = this.#source;
    const made = inFlight.get(call);
    const task = made?.target.name;
    const connection = made?.owner.caller.connection?.id;
    publish('worker.log', { ...names(), level, time, task, connection, record: record as Record<string, unknown>, message, untold });
  }

  /** Bytes above the quota. */
  #overdrawn(): number {
    const now = this.#source.clock.now();
    this.#spent = Math.max(0, this.#spent - ((now - this.#at) / 1000) * PER_SECOND);
    this.#at = now;
    return this.#spent - BURST;
  }

  /** The process may send as many more. */
  #onDealtWith(size: number): void {
    const room = this.#window.consumed(size);
    if (room) sendCredit(this.#source.link, 0, CreditKind.records, room);
  }

  readonly #onTime = (): void => {
    this.#timer = undefined;
    for (const size of this.#pending.splice(0)) this.#onDealtWith(size);
  };
}
