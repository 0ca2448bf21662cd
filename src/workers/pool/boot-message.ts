import type { WorkerBlueprint } from '../../blueprint/types.js';
import { PROTOCOL_VERSION, type BootMessage } from '../../wire/link/protocol.js';

/** Parts of BOOT that are not in the worker's blueprint. */
export interface BootParts extends Pick<BootMessage, 'app' | 'key' | 'options' | 'workers' | 'listen'> {
  readonly worker: WorkerBlueprint;
}

/** The first message to every process of a pool. */
export function bootMessage({ worker, ...parts }: BootParts): BootMessage {
  const { name, source, settings } = worker;
  const { concurrency, maxMessageSize, stallTimeout, softTimeout, validate } = settings;
  return {
    version: PROTOCOL_VERSION,
    name,
    source: source?.url ?? '',
    concurrency,
    maxMessageSize,
    stallTimeout,
    softTimeout,
    validate,
    ...parts,
  };
}
