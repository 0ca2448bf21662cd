import { once } from 'node:events';
import { connect } from 'node:net';
import { Random } from '../random.js';
import { spawnScript, type Script } from '../programs/spawn-script.js';
import { soon, waitFor } from '../wait-for.js';
import { webClient } from '../clients/web-client.js';
import { brokenOff, httpCase, websocketCase, type WebCase } from './web-cases.js';

/** What the server holds. */
interface Holdings {
  readonly connections: number;
  readonly descriptors: number;
  readonly heap: number;
}

interface Ports {
  readonly web: number;
  readonly chat: number;
  readonly mounted: number;
}

export interface FuzzOptions {
  readonly kind: 'http' | 'websocket';
  readonly seed: number;
  /** Milliseconds; cases begin until then. */
  readonly duration: number;
  /** Conversations are broken off behind every so many bytes. Default 1. */
  readonly every?: number;
  /** Hears from time to time how many cases there were. */
  readonly progress?: (cases: number) => void;
}

/** Clients at once. */
const CLIENTS = 30;
/** Bytes that the heap may have grown when everything is over. */
const GROWTH = 16 * 1024 * 1024;

/** Plays one client; resolves when its connection is over. */
async function play({ pieces, leave }: WebCase, port: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()));
  const answered = once(socket, 'data').catch(() => {});
  for (const piece of pieces) {
    if (socket.destroyed) break;
    await new Promise<void>(resolve => socket.write(piece, () => resolve()));
  }
  if (leave === 'finish') socket.end();
  else if (leave === 'reset') socket.resetAndDestroy();
  else if (leave === 'answer') {
    await Promise.race([answered, closed]);
    socket.destroy();
  }
  await soon(closed, { within: '60s', what: `a connection to be closed that was left with '${leave}'` });
}

/** One server process that is fuzzed. */
export class Fuzz {
  readonly #server: Script;
  readonly #options: FuzzOptions;
  cases = 0;

  constructor(options: FuzzOptions) {
    this.#options = options;
    this.#server = spawnScript(new URL('../../fixtures/connections/fuzzed.main.js', import.meta.url), [], {
      execArgv: ['--enable-source-maps', '--expose-gc'],
      env: { PACKET_LOG: 'fatal' },
    });
  }

  /**
   * Plays hostile clients for the time that was given, and looks then whether the server is as it was.
   * @throws Error that names the seed and the case.
   */
  async run(): Promise<void> {
    const { seed, kind } = this.#options;
    try {
      const ports = JSON.parse(await this.#server.line('{', { within: '30s' })) as Ports;
      await this.#isServed(ports);
      const before = await this.#settled(Infinity);
      await this.#attack(ports);
      await this.#isServed(ports);
      await this.#settled(before.descriptors, before.heap + GROWTH);
      this.#server.kill('SIGTERM');
      const { code, signal } = await this.#server.exit({ within: '20s' });
      if (code !== 0) throw new Error(`SIGTERM ended it with ${code ?? signal}: ${this.#server.stderr.text.slice(-2_000)}`);
    } catch (cause) {
      const text = `fuzzing ${kind} failed after ${this.cases} cases: repeat it with PACKET_SEED=${seed}`;
      throw new Error(`${text}\n${this.#server.stderr.text.slice(-2_000)}`, { cause });
    } finally {
      await this.#server[Symbol.asyncDispose]();
    }
  }

  async #attack(ports: Ports): Promise<void> {
    const { kind, seed, duration, every = 1, progress } = this.#options;
    const end = performance.now() + duration;
    const targets = kind === 'http' ? [ports.web, ports.web, ports.mounted] : [ports.chat];
    const sweep = brokenOff(every)[Symbol.iterator]();
    const client = async (): Promise<void> => {
      while (performance.now() < end && this.#server.running) {
        // Each case has a seed of its own: it does not depend on which client is quicker.
        const random = new Random((seed + Math.imul(this.cases++, 0x9e3779b1)) >>> 0);
        const swept = this.cases % 2 === 0 ? sweep.next().value : undefined;
        const next = (swept as WebCase | undefined) ?? (kind === 'http' ? httpCase(random) : websocketCase(random));
        const port = random.pick(targets);
        // What is mounted has a request's body to itself, and Node waits for it for five minutes.
        await play(port === ports.mounted ? { ...next, leave: next.leave === 'reset' ? 'reset' : 'finish' } : next, port);
        if (this.cases % 1_000 === 0) progress?.(this.cases);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    if (!this.#server.running) throw new Error('the server has ended');
  }

  /** Honest clients are answered. */
  async #isServed({ web, chat, mounted }: Ports): Promise<void> {
    for (const port of [web, mounted]) {
      const answer = await soon(fetch(`http://127.0.0.1:${port}/fast`, { headers: { connection: 'close' } }), { within: '20s' });
      if (answer.status !== 200) throw new Error(`an honest request gets ${answer.status}`);
      await answer.text();
    }
    const client = await webClient(`ws://127.0.0.1:${chat}/chat`);
    client.send('honest');
    if ((await client.next()) !== 'honest') throw new Error('an honest websocket is not answered');
    client.socket.close();
    await client.closed;
  }

  /** Nothing is counted that is gone, descriptors and heap are back. */
  async #settled(descriptors: number, heap = Infinity): Promise<Holdings> {
    let now: Holdings | undefined;
    const isBack = async (): Promise<boolean> => {
      now = await this.#holdings();
      return now.connections === 0 && now.descriptors <= descriptors && now.heap <= heap;
    };
    await waitFor(isBack, { within: '20s', what: () => `${JSON.stringify(now)} to be back at ${descriptors} descriptors, ${heap} bytes` });
    return now!;
  }

  async #holdings(): Promise<Holdings> {
    this.#server.stdin.write('\n');
    return JSON.parse(await this.#server.line('"connections"', { within: '20s' })) as Holdings;
  }
}
