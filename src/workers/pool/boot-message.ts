import type { WorkerBlueprint } from '../../blueprint/types.js';
import { PROTOCOL_VERSION, type BootMessage } from '../../wire/link/protocol.js';

/** The pool that a process is for. */
interface BootedPool extends Pick<BootMessage, 'app' | 'key' | 'options'> {
  readonly worker: WorkerBlueprint;
}

/** The first message to every process of a pool. */
export function bootMessage(
  { app, worker, key, options }: BootedPool,
  parts: Pick<BootMessage, 'logLevel' | 'workers' | 'listen'>,
): BootMessage {
  const { name, source, settings } = worker;
  const { concurrency, maxMessageSize, stallTimeout, softTimeout, validate } = settings;
  return {
    version: PROTOCOL_VERSION,
    app,
    name,
    key,
    source: source?.url ?? '',
    concurrency,
    maxMessageSize,
    stallTimeout,
    softTimeout,
    validate,
    options,
    ...parts,
  };
}
