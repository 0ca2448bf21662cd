import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { chosen, readOptions } from './kit/options.js';
import { report } from './kit/report.js';
import { runRounds } from './kit/rounds.js';
import { server } from './kit/server.js';

const execute = promisify(execFile);
const file = (name: string): URL => new URL(`./http/servers/${name}.js`, import.meta.url);

const CONTENDERS = [
  server('mount(fastify)', file('mounted')),
  server('fastify alone', file('fastify')),
  server('@OnRequest', file('requests')),
];

/** Requests a second, by a client that was not written here; it counts whole seconds. */
async function wrk(port: number, seconds: number): Promise<number> {
  const { stdout } = await execute('wrk', ['-t', '1', '-c', '50', '-d', `${seconds}s`, `http://127.0.0.1:${port}/`], { timeout: 60_000 });
  const rate = Number(/^Requests\/sec:\s+([\d.]+)/m.exec(stdout)?.[1]);
  if (!(rate > 0) || /Non-2xx/.test(stdout)) throw new Error(`wrk said: ${stdout}`);
  return rate;
}

/** A Fastify application mounted on the reactor against the same one alone: requests of 50 keep-alive connections, asked by wrk. */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 9, ms: 2000 });
  const seconds = Math.max(1, Math.round(options.ms / 1000));
  const figures = await runRounds(chosen(CONTENDERS, options), [{ name: 'GET /' }], options.rounds, async ({ port }, _setting, warmUp) => ({
    rate: await wrk(port, warmUp ? 1 : seconds),
  }));
  report('http', [{ key: 'rate', unit: 'requests a second', better: 'more' }], figures);
}
