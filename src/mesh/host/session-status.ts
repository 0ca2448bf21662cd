import type { Clock, ClockTimer } from '../../clock.js';
import { encodeValue } from '../../wire/codec/codec.js';
import { Kind, MOST_STATUS } from '../../wire/link/protocol.js';
import type { Link } from '../../wire/link/types.js';
import type { Pool } from '../../workers/pool/pool.js';
import type { RemoteRow } from '../remote-status.js';

/** Milliseconds between two looks whether there is news. */
const EVERY = 500;
/** Processes that are told of at most. */
const MOST_ROWS = 100;

/** Tells one caller how the processes of a pool are: at once, and then when something has changed. */
export class SessionStatus {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #host: string;
  #pool: Pool | undefined;
  #timer: ClockTimer | undefined;
  #last = '';
  #isStopped = false;

  constructor(link: Link, clock: Clock, host: string) {
    this.#link = link;
    this.#clock = clock;
    this.#host = host;
  }

  begin(pool: Pool): void {
    this.#pool = pool;
    this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #look(): void {
    if (this.#isStopped) return;
    const rows = this.#rows();
    // The status of a process may be any value: only the figures are compared.
    const news = JSON.stringify(rows.map(({ status, ...figures }) => [figures, typeof status]));
    if (news !== this.#last) {
      this.#last = news;
      this.#send(rows);
    }
    this.#timer = this.#clock.after(EVERY, () => this.#look());
  }

  #rows(): RemoteRow[] {
    return this.#pool!.status()
      .slice(0, MOST_ROWS)
      .map(({ id, pid, state, running, queued, done, failed, restarts, rss, startedAt, status }) => ({
        id: id === undefined ? undefined : `${this.#host}:${id}`,
        pid,
        state,
        running,
        queued,
        done,
        failed,
        restarts,
        rss,
        startedAt: startedAt.getTime(),
        status,
      }));
  }

  #send(rows: readonly RemoteRow[]): void {
    let encoded = encodeValue(rows, 0, 'status');
    if (encoded.length > MOST_STATUS)
      encoded = encodeValue(
        rows.map(row => ({ ...row, status: undefined })),
        0,
        'status',
      );
    this.#link.sendEncoded(Kind.STATUS, 0, 0, encoded);
  }
}
