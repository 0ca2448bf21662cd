import { connect, type Socket } from 'node:net';
import { rmSync } from 'node:fs';
import { UsageError } from '../../errors.js';
import { guard } from '../../guard.js';
import { CommandFailure } from '../command.js';
import { controlledPids, controlPath } from './control-place.js';

/** A running `packet-ts run`, as another command reaches it. */
export class ControlClient implements Disposable {
  readonly #socket: Socket;
  readonly #waiting: { resolve(answer: object): void; reject(error: Error): void }[] = [];
  #text = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8').on(
      'data',
      guard(socket, (chunk: string) => {
        const lines = (this.#text + chunk).split('\n');
        this.#text = lines.pop()!;
        for (const line of lines) this.#waiting.shift()?.resolve(JSON.parse(line) as object);
      }),
    );
    socket.on(
      'close',
      guard(socket, () => {
        for (const { reject } of this.#waiting.splice(0)) reject(new CommandFailure('packet-ts run has ended'));
      }),
    );
  }

  /** Undefined: no command of that pid is running. */
  static open(pid: number): Promise<ControlClient | undefined> {
    const path = controlPath(pid);
    return new Promise(resolve => {
      const socket = connect(path);
      socket.once(
        'connect',
        guard(socket, () => resolve(new ControlClient(socket))),
      );
      socket.on(
        'error',
        guard(socket, (error: NodeJS.ErrnoException) => {
          // The command was killed and left its file.
          if (error.code === 'ECONNREFUSED') rmSync(path, { force: true });
          resolve(undefined);
        }),
      );
    });
  }

  /** Rejects when the command ends before it answers. */
  ask(what: 'reload' | 'look'): Promise<object> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(`${JSON.stringify({ do: what })}\n`);
    });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/**
 * The running command of that pid; of this user's only one where no pid is given.
 * @throws CommandFailure when there is none; UsageError for what is no pid, and where several are running and none was named.
 */
export async function runningCommand(pid: string | undefined): Promise<ControlClient> {
  if (pid !== undefined) {
    if (!/^\d+$/.test(pid)) throw new UsageError(`'${pid}' is no pid`);
    const named = await ControlClient.open(Number(pid));
    if (named) return named;
    throw new CommandFailure(`no packet-ts run of this user has the pid ${pid}`);
  }
  const found = await Promise.all(controlledPids().map(async each => ({ pid: each, client: await ControlClient.open(each) })));
  const live = found.filter(({ client }) => client !== undefined);
  if (live.length === 1) return live[0]!.client!;
  for (const { client } of live) client![Symbol.dispose]();
  if (live.length === 0) throw new CommandFailure('no packet-ts run of this user is running');
  throw new UsageError(`several are running: say which by its pid, ${live.map(each => each.pid).join(' or ')}`);
}
