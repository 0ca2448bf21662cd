import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { atEnd } from './cleanup.js';
import { soon, waitFor } from './wait-for.js';

interface Reply {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** One page of a {@link Browser}. */
export interface BrowserPage {
  /** Runs an expression in the page; a promise is awaited. Rejects with what it throws. */
  evaluate(expression: string): Promise<unknown>;
}

/** A headless Chromium, driven over its own pipe: it opens no port. Ended with the test. */
export class Browser {
  readonly #out: Writable;
  readonly #waiting = new Map<number, { resolve: (result: Readonly<Record<string, unknown>>) => void; reject: (error: Error) => void }>();
  #rest = '';
  #last = 0;

  private constructor(child: ChildProcess) {
    // Made with pipes at 3 and 4.
    this.#out = child.stdio[3] as Writable;
    this.#out.on('error', () => {});
    child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the browser has ended'));
    });
    const incoming = child.stdio[4] as Readable;
    incoming.on('error', () => {});
    incoming.setEncoding('utf8').on('data', (text: string) => this.#read(text));
  }

  static start(): Browser {
    const profile = mkdtempSync(join(tmpdir(), 'packet-browser-'));
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--remote-debugging-pipe'];
    const child = spawn('chromium', [...flags, `--user-data-dir=${profile}`], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      // A group of its own: it starts many processes.
      detached: true,
    });
    const exited = new Promise<void>(resolve => child.once('close', () => resolve()));
    atEnd(async () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
      await exited;
      rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
    });
    return new Browser(child);
  }

  /** Opens a page; resolves when it has loaded. */
  async open(url: string): Promise<BrowserPage> {
    const { targetId } = await this.#ask('Target.createTarget', { url });
    const { sessionId } = await this.#ask('Target.attachToTarget', { targetId, flatten: true });
    const evaluate = async (expression: string): Promise<unknown> => {
      const { result, exceptionDetails } = await this.#ask(
        'Runtime.evaluate',
        { expression, awaitPromise: true, returnByValue: true },
        sessionId as string,
      );
      if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { readonly value?: unknown }).value;
    };
    // It begins as an empty page, whose context is gone when the real one comes.
    await waitFor(() => evaluate(`location.href !== 'about:blank' && document.readyState === 'complete'`), { within: '20s', what: url });
    return { evaluate };
  }

  #ask(method: string, params: object, sessionId?: string): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#last;
    const asked = new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#out.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return soon(asked, { within: '20s', what: method });
  }

  #read(text: string): void {
    const messages = (this.#rest + text).split('\0');
    this.#rest = messages.pop()!;
    for (const message of messages) {
      const { id, result, error } = JSON.parse(message) as Reply;
      const waiting = id === undefined ? undefined : this.#waiting.get(id);
      this.#waiting.delete(id!);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result ?? {});
    }
  }
}
