import { epochNow } from '../system-timers.js';
import { encodeValue } from '../wire/codec/codec.js';
import { INITIAL_ROOM, SendCredit, type Room } from '../wire/link/credit.js';
import { Kind, MOST_RECORD } from '../wire/link/protocol.js';
import type { Encoded, Link } from '../wire/link/types.js';

/** Bytes of records that wait for the master; those beyond are dropped and counted. */
const MOST_WAITING = 1024 * 1024;

/** Parts of the runtime that a {@link RecordSender} works with. */
export interface RecordSenderOptions {
  readonly link: Link;
  /** The number of the call that runs; 0: none, or it is not known. */
  call(): number;
  /** Something was given to the link that should leave although a task holds the event loop. */
  onSent(): void;
  lookForCredit(): void;
}

interface Waiting {
  readonly level: number;
  readonly call: number;
  readonly encoded: Encoded;
}

/** Sends what the worker logs to its master: at once, as far as the master takes it. To log never throws and never waits. */
export class RecordSender {
  readonly #options: RecordSenderOptions;
  readonly #credit = new SendCredit(INITIAL_ROOM.records);
  #waiting: Waiting[] = [];
  #bytes = 0;
  #untold = 0;

  constructor(options: RecordSenderOptions) {
    this.#options = options;
  }

  write(level: number, record: object, message: string | undefined): void {
    const { call, lookForCredit } = this.#options;
    const encoded = encodedRecord(record, message, this.#untold);
    if (!this.#credit.open) lookForCredit();
    if (this.#credit.open) this.#send({ level, call: call(), encoded });
    else if (this.#bytes + encoded.length > MOST_WAITING) {
      this.#untold++;
      return;
    } else {
      this.#waiting.push({ level, call: call(), encoded });
      this.#bytes += encoded.length;
    }
    this.#untold = 0;
  }

  /** The master takes more. */
  give(room: Room): void {
    this.#credit.give(room);
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    const sent = waiting.findIndex(each => !this.#sent(each));
    this.#waiting = sent < 0 ? [] : waiting.slice(sent);
  }

  #sent(record: Waiting): boolean {
    if (!this.#credit.open) return false;
    this.#bytes -= record.encoded.length;
    this.#send(record);
    return true;
  }

  #send({ level, call, encoded }: Waiting): void {
    this.#credit.spend(encoded.length);
    this.#options.link.sendEncoded(Kind.LOG, call, level, encoded);
    this.#options.onSent();
  }
}

/** Encodes a record; one that cannot be sent, or is too large, is told of without its content. */
function encodedRecord(record: object, message: string | undefined, untold: number): Encoded {
  const time = epochNow();
  const text = message?.slice(0, MOST_RECORD / 8);
  try {
    return encodeValue([time, record, text, untold], MOST_RECORD, 'record');
  } catch (error) {
    const unloggable = error instanceof Error ? error.message.slice(0, 1000) : 'it cannot be copied';
    return encodeValue([time, { unloggable }, text, untold], MOST_RECORD, 'record');
  }
}
