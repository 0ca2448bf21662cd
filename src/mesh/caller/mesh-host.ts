import { guard } from '../../guard.js';
import type { Host, HostExit, HostProcess, HostSpec } from '../../hosts/host.js';
import { LAST_CALL } from '../../wire/link/protocol.js';
import type { MeshNode } from '../link/mesh-node.js';
import type { MeshStream } from '../link/mesh-stream.js';
import type { Presence } from '../presence.js';

/** A pool of another machine, as a process of this one. */
class RemoteProcess implements HostProcess {
  readonly machine: string;
  readonly stream: MeshStream;
  readonly pid = 0;
  #exit: HostExit | undefined;
  readonly #waiting: ((exit: HostExit) => void)[] = [];

  constructor(machine: string, stream: MeshStream) {
    this.machine = machine;
    this.stream = stream;
    stream.once(
      'close',
      guard(stream, () => this.#ended()),
    );
  }

  /** All that was sent may have begun. */
  mark(): number {
    return LAST_CALL;
  }

  /** Its processes are the host's: from here only the link can be broken off. */
  kill(signal: NodeJS.Signals): void {
    if (signal === 'SIGKILL' || signal === 'SIGTERM') this.stream.destroy();
  }

  onExit(exited: (exit: HostExit) => void): void {
    if (this.#exit) exited(this.#exit);
    else this.#waiting.push(exited);
  }

  rss(): undefined {}

  isStopped(): boolean {
    return false;
  }

  keepAlive(isBusy: boolean): void {
    this.stream.isBusy = isBusy;
  }

  #ended(): void {
    const { lost } = this.stream;
    const exit = (this.#exit = { exitCode: null, signal: null, stderr: '', memory: false, lost });
    for (const exited of this.#waiting.splice(0)) exited(exit);
  }
}

/** Starts members that stand for one host's pool of a worker. */
export function meshHost(node: MeshNode, { id, name }: Presence): Host {
  return {
    runtime: 'process',
    start: (spec: HostSpec) => new RemoteProcess(name, node.connectTo(spec.name, id)),
    close: () => Promise.resolve(),
  };
}
