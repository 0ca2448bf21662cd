import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { asError } from '../../errors.js';
import { guard, guardEach, NO_VICTIM } from '../../guard.js';
import { controlPath } from './control-place.js';

/** Answers of a running command. */
export interface ControlHandlers {
  readonly reload: () => Promise<object>;
  readonly look: () => Promise<object>;
}

/** The most characters of a request. */
const LONGEST = 1_000;

/** Answers requests on a unix socket that only this user may open: a line of JSON each, `{"do":"reload"}`. */
export class ControlServer {
  readonly #server: Server;
  readonly #handlers: ControlHandlers;
  readonly #say: (line: string) => void;

  /** @param say tells the operator that there is no such socket */
  constructor(handlers: ControlHandlers, say: (line: string) => void) {
    this.#handlers = handlers;
    this.#say = say;
    this.#server = createServer(
      guardEach(
        (socket: Socket) => socket,
        socket => this.#serve(socket),
      ),
    );
    this.#server.on(
      'error',
      guard(NO_VICTIM, (error: unknown) => this.#unreachable(error)),
    );
  }

  /** Its file is this user's alone from the beginning. Where none can be made (a file system for reading, say) the application runs without. */
  listen(): void {
    try {
      const path = controlPath(process.pid);
      // A killed command of the same pid has left it.
      rmSync(path, { force: true });
      const before = process.umask(0o177);
      try {
        this.#server.listen(path);
      } finally {
        process.umask(before);
      }
      this.#server.unref();
    } catch (error) {
      this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): void {
    this.#say(`reload and top cannot reach this command, but SIGHUP reloads: ${asError(error).message}`);
  }

  close(): void {
    this.#server.close();
  }

  #serve(socket: Socket): void {
    let text = '';
    socket.on('error', () => {});
    socket.setEncoding('utf8');
    socket.on(
      'data',
      guard(socket, (chunk: string) => {
        text += chunk;
        if (text.length > LONGEST) {
          socket.destroy();
          return;
        }
        const lines = text.split('\n');
        text = lines.pop()!;
        for (const line of lines) void this.#answer(line, socket);
      }),
    );
  }

  async #answer(line: string, socket: Socket): Promise<void> {
    let answer: object;
    try {
      const { do: what } = JSON.parse(line) as { do?: unknown };
      if (what !== 'reload' && what !== 'look') throw new TypeError('what is to be done: reload or look');
      answer = await this.#handlers[what]();
    } catch (error) {
      answer = { error: asError(error).message };
    }
    socket.write(
      `${JSON.stringify(answer)}\n`,
      guard(NO_VICTIM, () => {}),
    );
  }
}
