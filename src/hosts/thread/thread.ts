import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { asError } from '../../errors.js';
import type { Host, HostProcess, HostSpec } from '../host.js';
import { NotLaunched } from '../launch/not-launched.js';
import { registerHost } from '../registry.js';
import { SLOTS, THREAD_KEY, type ThreadStart } from './contract.js';
import { launchError, threadPlan } from './launch.js';
import { ThreadOutput } from './output.js';
import { PortStream } from './port-stream.js';
import { WorkerThread } from './worker-thread.js';

/** Runs each worker in a thread of the master's process: its own heap and event loop, the master's pid, uid and folder. */
class ThreadHost implements Host {
  readonly runtime = 'thread';
  readonly sharesMemory = true;
  readonly listensAlone = true;
  readonly #entry: string;

  constructor(entry: string | URL) {
    this.#entry = typeof entry === 'string' && !entry.startsWith('file:') ? entry : fileURLToPath(entry);
  }

  start(spec: HostSpec): HostProcess {
    const link = new MessageChannel();
    const output = new MessageChannel();
    const shared = new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT);
    const start: ThreadStart = { link: link.port2, output: output.port2, shared };
    const { name, key } = spec;
    let thread: Worker;
    try {
      thread = new Worker(this.#entry, {
        ...threadPlan(spec.settings, { execArgv: process.execArgv, env: process.env }),
        name: `packet-ts ${name}${key === undefined ? '' : `[${key}]`}`,
        workerData: { [THREAD_KEY]: start },
        transferList: [link.port2, output.port2],
        // They come over a port of ours, which loses nothing when the thread ends.
        stdout: true,
        stderr: true,
      });
    } catch (error) {
      for (const { port1, port2 } of [link, output]) {
        port1.close();
        port2.close();
      }
      return new NotLaunched(asError(launchError(error)), true);
    }
    const slots = new Int32Array(shared);
    return new WorkerThread(thread, spec, new PortStream(link.port1), new ThreadOutput(output.port1, slots), slots);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * The host of worker threads.
 * @param entry the module that a worker thread runs first
 * @example const host = threadHost(new URL('./worker-main/main.js', import.meta.url));
 */
export function threadHost(entry: string | URL): Host {
  return new ThreadHost(entry);
}

registerHost({
  runtime: 'thread',
  cannotKeep: ['uid', 'gid', 'permissions', 'cwd', 'maxMemory'],
  sharesMaster: false,
  sharesProcess: true,
  listensAlone: true,
  start: ({ entry }) => threadHost(entry().file),
});
