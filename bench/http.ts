import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Figures, Measured } from './kit/contender.js';
import { chosen, readOptions } from './kit/options.js';
import { report } from './kit/report.js';
import { runRounds } from './kit/rounds.js';
import { server, type Serving } from './kit/server.js';

const execute = promisify(execFile);
const file = (name: string): URL => new URL(`./http/servers/${name}.js`, import.meta.url);

const ON_REQUEST = server('@OnRequest', file('on-request'));
const LIGHT_WEB = server('@OnRequest, useLightWeb()', file('light-web'));
const ROUTES = server('routes', file('routes'));
const FASTIFY = server('fastify alone', file('fastify'));
const MOUNTED = server('mount(fastify)', file('mounted'));

/** One kind of request; the first contender is compared with the others. */
interface Kind {
  readonly name: string;
  readonly path: string;
  readonly method?: 'POST' | 'PUT';
  readonly body?: object;
  readonly contenders: readonly (typeof FASTIFY)[];
}

const ORDER = { item: 'a chair of oak', quantity: 2 };
const KINDS: readonly Kind[] = [
  { name: 'hello', path: '/', contenders: [ROUTES, FASTIFY, LIGHT_WEB, ON_REQUEST, MOUNTED] },
  { name: 'JSON echo', path: '/echo', method: 'POST', body: ORDER, contenders: [ROUTES, FASTIFY, LIGHT_WEB, ON_REQUEST] },
  { name: 'route, GET', path: '/orders/7?verbose=true', contenders: [ROUTES, FASTIFY] },
  { name: 'route, PUT', path: '/orders/7', method: 'PUT', body: ORDER, contenders: [ROUTES, FASTIFY] },
];

/** Requests a second, and processor time of the server for each, by a client that was not written here; it counts whole seconds. */
async function wrk(
  { port, cpu }: Serving,
  { path }: Kind,
  script: string | undefined,
  seconds: number,
): Promise<Measured & { readonly requests: number }> {
  const before = cpu();
  const args = ['-t', '1', '-c', '50', '-d', `${seconds}s`, ...(script === undefined ? [] : ['-s', script])];
  const { stdout } = await execute('wrk', [...args, `http://127.0.0.1:${port}${path}`], { timeout: 60_000 });
  const after = cpu();
  const rate = Number(/^Requests\/sec:\s+([\d.]+)/m.exec(stdout)?.[1]);
  const requests = Number(/^\s*(\d+) requests in/m.exec(stdout)?.[1]);
  if (!(rate > 0) || /Non-2xx/.test(stdout)) throw new Error(`wrk said: ${stdout}`);
  return before === undefined || after === undefined ? { rate, requests } : { cpu: (after - before) / requests, rate, requests };
}

/** Requests until V8 has compiled what serves them, however slow the machine is. */
const WARM = 20_000;

async function warmUp(subject: Serving, kind: Kind, script: string | undefined): Promise<Measured> {
  let measured = await wrk(subject, kind, script, 1);
  for (let left = WARM - measured.requests; left > 0; left -= measured.requests) measured = await wrk(subject, kind, script, 1);
  return measured;
}

/** What wrk must be told to send anything but GET. */
async function scriptFor(folder: string, { name, method, body }: Kind): Promise<string | undefined> {
  if (!method) return undefined;
  const path = join(folder, `${name}.lua`);
  await writeFile(
    path,
    `wrk.method = '${method}'\nwrk.body = '${JSON.stringify(body)}'\nwrk.headers['Content-Type'] = 'application/json'\n`,
  );
  return path;
}

/** `@OnRequest` and routes against Fastify, alone and mounted on the reactor: requests of 50 keep-alive connections, asked by wrk. */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 5, ms: 2000 });
  const seconds = Math.max(1, Math.round(options.ms / 1000));
  const folder = await mkdtemp(join(tmpdir(), 'packet-ts-bench-'));
  const gathered = new Map<string, Map<string, ReadonlyMap<string, readonly number[]>>>();
  try {
    for (const kind of KINDS) {
      const script = await scriptFor(folder, kind);
      const figures: ReadonlyMap<string, Figures> = await runRounds(
        chosen(kind.contenders, options),
        [kind],
        options.rounds,
        (subject, _setting, isWarmUp) => (isWarmUp ? warmUp(subject, kind, script) : wrk(subject, kind, script, seconds)),
      );
      for (const [table, settings] of figures) {
        const known = gathered.get(table) ?? gathered.set(table, new Map()).get(table)!;
        for (const [setting, byName] of settings) known.set(setting, byName);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const tables = [
    { key: 'cpu', unit: 'microseconds of processor time a request', better: 'less' },
    { key: 'rate', unit: 'requests a second', better: 'more' },
  ] as const;
  report('http', tables, gathered);
}
