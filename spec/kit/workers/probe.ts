import { createInterface, type Interface } from 'node:readline';
import { once } from 'node:events';
import type { Host, HostExit, HostProcess, HostSettings, HostSpec } from '../../../src/hosts/host.js';

/** The entry that turns a worker process into something that tests can look into. */
export const probeEntry = new URL('../children/probe.js', import.meta.url);

export const plainSettings: HostSettings = {
  resourceLimits: {},
  execArgv: [],
  argv: [],
  cwd: undefined,
  env: undefined,
  uid: undefined,
  gid: undefined,
  permissions: undefined,
};

export function hostSpec(settings: Partial<HostSettings> = {}, output: HostSpec['onOutput'] = () => {}): HostSpec {
  return {
    name: 'probe',
    key: undefined,
    cls: class Probe {},
    source: probeEntry.href,
    settings: { ...plainSettings, ...settings },
    onOutput: output,
  };
}

/** One process of a host that evaluates what it is told. */
export class Probe {
  readonly process: HostProcess;
  readonly exit: Promise<HostExit>;
  /** What it wrote so far: `stdout text`, `stderr text`. */
  readonly lines: string[] = [];
  readonly #answers: Interface;
  readonly #waiting: { readonly test: (line: string) => boolean; readonly found: (line: string) => void }[] = [];

  constructor(host: Host, settings: Partial<HostSettings> = {}, source: string | undefined = probeEntry.href, takesSockets = false) {
    this.process = host.start({
      ...hostSpec(settings, (text, stream) => {
        const line = `${stream} ${text}`;
        this.lines.push(line);
        for (const waiting of [...this.#waiting]) if (waiting.test(line)) waiting.found(line);
      }),
      source,
      takesSockets,
    });
    this.exit = new Promise(resolve => this.process.onExit(resolve));
    this.#answers = createInterface(this.process.stream);
    this.#answers.on('error', () => {});
  }

  /** Evaluates an expression over there. */
  async run(code: string): Promise<unknown> {
    const answer = once(this.#answers, 'line') as Promise<[string]>;
    this.tell(code);
    const { value, error } = JSON.parse((await answer)[0]) as { value?: unknown; error?: string };
    if (error !== undefined) throw new Error(error);
    return value;
  }

  /** The same without waiting for an answer, which may never come. */
  tell(code: string): void {
    this.process.stream.write(`${JSON.stringify(code)}\n`);
  }

  /** The first line of output that passes, now or later. */
  line(test: (line: string) => boolean): Promise<string> {
    const seen = this.lines.find(test);
    if (seen !== undefined) return Promise.resolve(seen);
    return new Promise(resolve => this.#waiting.push({ test, found: resolve }));
  }

  async kill(): Promise<HostExit> {
    this.process.kill('SIGKILL');
    const exit = await this.exit;
    this.process.stream.destroy();
    return exit;
  }
}
