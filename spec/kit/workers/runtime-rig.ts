import type { BootMessage } from '../../../src/wire/link/protocol.js';
import { duplexPair } from '../../../src/wire/link/duplex-pair.js';
import { MemoryStartedMark, TaskRuntime, type LoadedWorker, type StartedMark, type RuntimeEnd } from '../../../src/tasks/index.js';
import { atEnd } from '../cleanup.js';
import { LinkEnd } from './link-end.js';
import { bootMessage } from './worker-fixture.js';

export interface Rig {
  readonly master: LinkEnd;
  readonly end: Promise<RuntimeEnd>;
}

export interface RigOptions {
  readonly mark?: StartedMark;
  readonly clock?: { now(): number };
}

/** A runtime and a scripted master, over a pair of streams. */
export function rig(
  worker: LoadedWorker | (() => Promise<LoadedWorker>),
  boot: Partial<BootMessage> = {},
  { mark = new MemoryStartedMark(), clock }: RigOptions = {},
): Rig {
  const [outside, inside] = duplexPair();
  const load = typeof worker === 'function' ? worker : () => Promise.resolve(worker);
  const end = new Promise<RuntimeEnd>(ended => void new TaskRuntime(inside, { mark, load, onEnded: ended, ...(clock && { clock }) }));
  const master = new LinkEnd(outside);
  atEnd(() => master.link.destroy());
  master.boot(bootMessage(boot));
  return { master, end };
}

/** The same, once it takes calls. */
export async function ready(...given: Parameters<typeof rig>): Promise<Rig> {
  const made = rig(...given);
  await made.master.kind('READY');
  return made;
}
