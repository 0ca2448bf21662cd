import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { atEnd } from '../cleanup.js';
import { soon, waitFor } from '../wait-for.js';

interface Reply {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** How large a page is shown, and in which colours. */
export interface Appearance {
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
}

/** One page of a {@link Browser}. */
export interface BrowserPage {
  /** Runs an expression in the page; a promise is awaited. Rejects with what it throws. */
  evaluate(expression: string): Promise<unknown>;
  appear(how: Appearance): Promise<void>;
  /** Clicks with the mouse in the middle of the element of this selector, which is scrolled to. Rejects when it is not to be seen. */
  click(selector: string): Promise<void>;
  /** Types text, or presses a key: 'Tab', 'Enter', 'Escape'. */
  type(text: string): Promise<void>;
  press(key: string): Promise<void>;
  /** A picture of the whole page, PNG. */
  screenshot(): Promise<Buffer>;
}

const KEY_CODES: Readonly<Record<string, number>> = { Tab: 9, Enter: 13, Escape: 27, ' ': 32 };

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
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--hide-scrollbars',
      '--remote-debugging-pipe',
    ];
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
    const ask = (method: string, params: object): Promise<Readonly<Record<string, unknown>>> =>
      this.#ask(method, params, sessionId as string);
    return new Page(evaluate, ask);
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

/** What is asked of one page over the browser's protocol. */
class Page implements BrowserPage {
  readonly evaluate: BrowserPage['evaluate'];
  readonly #ask: (method: string, params: object) => Promise<Readonly<Record<string, unknown>>>;

  constructor(evaluate: BrowserPage['evaluate'], ask: (method: string, params: object) => Promise<Readonly<Record<string, unknown>>>) {
    this.evaluate = evaluate;
    this.#ask = ask;
  }

  async appear({ width, height, dark = false }: Appearance): Promise<void> {
    await this.#ask('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 700 });
    await this.#ask('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }] });
  }

  async click(selector: string): Promise<void> {
    const found = await this.evaluate(`(() => {
      const node = document.querySelector(${JSON.stringify(selector)});
      if (!node) return undefined;
      node.scrollIntoView({ block: 'center', behavior: 'instant' });
      const { x, y, width, height } = node.getBoundingClientRect();
      const at = { x: x + width / 2, y: y + height / 2 };
      const top = document.elementFromPoint(at.x, at.y);
      return node === top || node.contains(top) ? at : undefined;
    })()`);
    if (!found) throw new Error(`${selector} is not to be seen`);
    const at = { ...found, button: 'left', clickCount: 1 };
    await this.#ask('Input.dispatchMouseEvent', { type: 'mousePressed', ...at });
    await this.#ask('Input.dispatchMouseEvent', { type: 'mouseReleased', ...at });
  }

  async type(text: string): Promise<void> {
    await this.#ask('Input.insertText', { text });
  }

  async press(key: string): Promise<void> {
    const code = KEY_CODES[key];
    if (code === undefined) throw new Error(`no code is known for the key ${key}`);
    const text = key === 'Enter' ? '\r' : key === ' ' ? ' ' : undefined;
    const what = { key, code: key, windowsVirtualKeyCode: code, ...(text !== undefined && { text }) };
    await this.#ask('Input.dispatchKeyEvent', { type: text === undefined ? 'rawKeyDown' : 'keyDown', ...what });
    await this.#ask('Input.dispatchKeyEvent', { type: 'keyUp', ...what });
  }

  async screenshot(): Promise<Buffer> {
    const { data } = await this.#ask('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
    return Buffer.from(data as string, 'base64');
  }
}
