import { Buffer } from 'node:buffer';
import type { Session } from 'node:inspector';
import { getHeapSnapshot, getHeapStatistics } from 'node:v8';
import { onAbort } from '../abort-listeners.js';
import { asError, ProfileError } from '../errors.js';
import { clearTimeout, setTimeout } from '../system-timers.js';
import type { ProfileRequest } from './profile-request.js';

const MB = 1024 * 1024;
/** Bytes of the heap of which a snapshot is taken: Node needs about twice as many again for it. */
const MOST_HEAP = 1024 * MB;
/** Bytes of a profile. */
const MOST_BYTES = 2048 * MB;
/** Bytes of one piece of it. */
const PIECE = 32 * 1024;

/** A profile is being taken of this process; in a thread: of this thread. */
let taking = false;

/** How a profile of this process is taken. */
export interface OwnProfileOptions {
  /** Ends it early: then it rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** A CPU profile runs; a heap snapshot will be taken when this has returned, and everything stands still until then. */
  onBegun?(): void;
}

/**
 * Takes a profile of this process, in a thread of this thread alone: its text in pieces. One at a time, from the first `next()` on until it was
 * read or left. A heap snapshot stops the process for seconds where the heap is large.
 * Throws ProfileError.
 * @example for await (const piece of ownProfile({ kind: 'cpu', duration: 5_000 }, { signal })) file.write(piece);
 */
export async function* ownProfile({ kind, duration }: ProfileRequest, options: OwnProfileOptions): AsyncGenerator<Uint8Array, void> {
  if (taking) throw new ProfileError('busy', 'a profile of this process is being taken already: one at a time');
  taking = true;
  try {
    let bytes = 0;
    for await (const chunk of kind === 'cpu' ? cpuProfile(duration, options) : heapSnapshot(options)) {
      bytes += chunk.length;
      if (bytes > MOST_BYTES) throw tooLarge(`it has more than ${MOST_BYTES / MB} MB`);
      for (let at = 0; at < chunk.length; at += PIECE) {
        options.signal.throwIfAborted();
        yield chunk.subarray(at, at + PIECE);
      }
    }
  } finally {
    taking = false;
  }
}

function tooLarge(why: string): ProfileError {
  return new ProfileError('too-large', `no profile of this process can be taken: ${why}`);
}

async function* cpuProfile(duration: number, { signal, onBegun }: OwnProfileOptions): AsyncGenerator<Uint8Array, void> {
  const session = await connected();
  const post = <T>(method: string): Promise<T> =>
    new Promise((resolve, reject) => session.post(method, (error, result) => (error ? reject(asError(error)) : resolve(result as T))));
  try {
    await post('Profiler.enable');
    await post('Profiler.start');
    onBegun?.();
    await pause(duration, signal);
    const { profile } = await post<{ profile: object }>('Profiler.stop');
    yield Buffer.from(JSON.stringify(profile));
  } finally {
    // Ends a profile that runs, too.
    session.disconnect();
  }
}

/** A session with the inspector of this very thread: no port is opened. */
async function connected(): Promise<Session> {
  let inspector: typeof import('node:inspector');
  try {
    inspector = await import('node:inspector');
  } catch (cause) {
    throw new ProfileError('unavailable', 'this Node was built without the inspector: it takes no CPU profiles', { cause });
  }
  const session = new inspector.Session();
  try {
    session.connect();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_ACCESS_DENIED') throw cause;
    const remedy = process.allowedNodeEnvironmentFlags.has('--allow-inspector') ? ": execArgv: ['--allow-inspector'] allows it" : '';
    throw new ProfileError('denied', `the worker's permissions keep the inspector from it, which takes CPU profiles${remedy}`, { cause });
  }
  return session;
}

function pause(duration: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const forget = onAbort(signal, () => {
      clearTimeout(timer);
      reject(asError(signal.reason));
    });
    const timer = setTimeout(() => {
      forget();
      resolve();
    }, duration);
  });
}

async function* heapSnapshot({ onBegun }: OwnProfileOptions): AsyncGenerator<Uint8Array, void> {
  const { used_heap_size: used } = getHeapStatistics();
  if (used > MOST_HEAP) throw tooLarge(`its heap has ${Math.round(used / MB)} MB, and a snapshot is of ${MOST_HEAP / MB} MB at most`);
  onBegun?.();
  // Needs no inspector, and so no permission.
  for await (const chunk of getHeapSnapshot()) yield chunk as Buffer;
}
