import type { BootMessage } from '../../src/wire/protocol.js';
import { duplexPair } from '../../src/wire/duplex-pair.js';
import { MemoryMark, TaskRuntime, type LoadedWorker, type Mark, type RuntimeEnd } from '../../src/tasks/index.js';
import { atEnd } from './cleanup.js';
import { LinkEnd } from './link-end.js';
import { bootMessage } from './worker-fixture.js';

export interface Rig {
  readonly master: LinkEnd;
  readonly runtime: TaskRuntime;
  readonly mark: MemoryMark;
  readonly end: Promise<RuntimeEnd>;
}

/** A runtime and a scripted master, over a pair of streams. */
export function rig(
  worker: LoadedWorker | (() => Promise<LoadedWorker>),
  boot: Partial<BootMessage> = {},
  mark: Mark = new MemoryMark(),
): Rig {
  const [outside, inside] = duplexPair();
  let ended!: (end: RuntimeEnd) => void;
  const end = new Promise<RuntimeEnd>(resolve => (ended = resolve));
  const load = typeof worker === 'function' ? worker : () => Promise.resolve(worker);
  const runtime = new TaskRuntime(inside, { mark, load, ended });
  const master = new LinkEnd(outside);
  atEnd(() => master.link.destroy());
  master.boot(bootMessage(boot));
  return { master, runtime, mark: mark as MemoryMark, end };
}

/** The same, once it takes calls. */
export async function ready(...args: Parameters<typeof rig>): Promise<Rig> {
  const made = rig(...args);
  await made.master.kind('READY');
  return made;
}
