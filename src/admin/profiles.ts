import { randomBytes } from 'node:crypto';
import { onAbort } from '../abort-listeners.js';
import type { Inspection } from '../app/report/inspection-types.js';
import type { Clock, ClockTimer } from '../clock.js';
import { asError, ProfileError } from '../errors.js';
import type { ProfileRequest } from '../profiling/profile-request.js';
import { HEADERS } from './static-files.js';

/** Milliseconds within which a page fetches a profile that is there. */
const FETCH_WITHIN = 30_000;

const ENDINGS = { cpu: 'cpuprofile', heap: 'heapsnapshot' } as const;

/** The visitor that has asked for a profile. */
export interface ProfileVisitor {
  /** Aborts when its page has gone. */
  readonly leaving: AbortSignal;
  /** The profile broke off while it was fetched. */
  onBroken(error: Error): void;
}

/** A profile whose first bytes are here. */
interface Ready {
  readonly name: string;
  readonly body: ReadableStream<Uint8Array>;
  /** Called when it is fetched: it is no longer dropped when its time is up, or when the page goes. */
  readonly claim: () => void;
  readonly abort: AbortController;
}

/**
 * Profiles that operators have asked for. Each can be fetched once, under a path that cannot be guessed: another origin, which may send requests
 * with the operator's password, cannot have one taken.
 */
export class Profiles {
  readonly #inspection: Inspection;
  readonly #clock: Clock;
  readonly #ready = new Map<string, Ready>();

  constructor(inspection: Inspection, clock: Clock) {
    this.#inspection = inspection;
    this.#clock = clock;
  }

  /** Has one taken; resolves with the path where it can be fetched when its first bytes are here. Rejects with a ProfileError. */
  async take(process: string | undefined, request: ProfileRequest, { leaving, onBroken }: ProfileVisitor): Promise<string> {
    const abort = new AbortController();
    const forget = onAbort(leaving, reason => abort.abort(reason));
    const pieces = this.#inspection.profile(process, request, abort.signal);
    try {
      const first = await pieces.next();
      if (first.done) throw new ProfileError('ended', 'the profile is empty');
      const path = `/profile/${randomBytes(24).toString('base64url')}`;
      const drop = (): void => {
        if (!this.#ready.delete(path)) return;
        forget();
        timer.cancel();
      };
      const timer: ClockTimer = this.#clock.after(FETCH_WITHIN, () => abort.abort(), false);
      onAbort(abort.signal, () => {
        drop();
        void pieces.return?.();
      });
      this.#ready.set(path, {
        name: this.#nameOf(process, request),
        body: streamOf(first.value, pieces, abort, onBroken),
        claim: drop,
        abort,
      });
      return path;
    } catch (error) {
      forget();
      throw error;
    }
  }

  /** The profile of this path; undefined: there is none, or it was fetched. */
  answer(request: Request): Response | undefined {
    if (request.method !== 'GET') return undefined;
    const ready = this.#ready.get(new URL(request.url).pathname);
    if (!ready) return undefined;
    ready.claim();
    const headers = {
      ...HEADERS,
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${ready.name}"`,
    };
    return new Response(ready.body, { headers });
  }

  /** Ends those that were not fetched. */
  close(): void {
    for (const { abort } of [...this.#ready.values()]) abort.abort();
  }

  #nameOf(process: string | undefined, { kind }: ProfileRequest): string {
    const at = new Date(this.#clock.epoch()).toISOString().slice(0, 19).replaceAll(':', '-');
    return `${this.#inspection.name}-${process ?? 'master'}-${at}.${ENDINGS[kind]}`.replaceAll(/[^\w.-]/g, '_');
  }
}

/** A body that reads on as it is read. It breaks off where the profile does. */
function streamOf(
  first: Uint8Array,
  pieces: AsyncIterator<Uint8Array>,
  abort: AbortController,
  onBroken: (error: Error) => void,
): ReadableStream<Uint8Array> {
  let waiting: Uint8Array | undefined = first;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next: IteratorResult<Uint8Array> = waiting ? { done: false, value: waiting } : await pieces.next();
        waiting = undefined;
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      } catch (error) {
        if (!abort.signal.aborted) onBroken(asError(error));
        controller.error(error);
      }
    },
    cancel: () => abort.abort(),
  });
}
