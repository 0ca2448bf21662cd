import type { HostSpec } from '../../hosts/host.js';
import type { InlineHostOptions } from '../../hosts/inline-types.js';
import type { BootMessage } from '../../wire/link/protocol.js';
import { SocketQueue } from '../sockets/socket-queue.js';
import { MemoryStartedMark } from '../started-mark.js';
import { TaskRuntime } from '../runtime.js';
import type { LoadedWorker } from './worker-environment.js';

/**
 * The part of an inline host that executes: a runtime like that of a process, on the other end of a pair of streams.
 * @example inlineHost({ pair: duplexPair, start: serveInline(boot => loadDeclared(boot)) })
 */
export function serveInline(load: (boot: BootMessage, spec: HostSpec) => Promise<LoadedWorker>): InlineHostOptions['start'] {
  return (stream, spec, ended, abandoned) => {
    const mark = new MemoryStartedMark();
    // Sockets that it refuses are still the master's: both sides have the same object.
    const arrivals = new SocketQueue(() => {}, abandoned);
    void new TaskRuntime(stream, { mark, arrivals, load: boot => load(boot, spec), onEnded: ({ isClean: clean }) => ended(clean) });
    return { mark: () => mark.highest, receive: arrivals.onArrival };
  };
}
