/**
 * Makes a project of each template from a packed package, in an empty folder, as a new user does: `packet-ts new`, then the two commands
 * `npm install` and `npm start` until it answers, then its test. Fails where a step fails, an answer is wrong, or the two commands take longer
 * than a minute. Installs from the registry that npm is set up with.
 * @example npm pack && npm run try:new packet-ts-0.1.0.tgz npm pnpm
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TEMPLATES } from '../src/cli/new/templates.js';

/** Seconds that the two commands may take. */
const MOST = 60;
const ANSWERS_WITHIN = 120_000;

const [tarball, ...managers] = process.argv.slice(2);
if (tarball === undefined) throw new Error('which tarball? npm pack makes one');

/** One exchange with a running template; resolves with what is wrong, or undefined. */
const ASKS: Readonly<Record<string, () => Promise<string | undefined>>> = {
  async eval() {
    const socket = connect(11_006, '127.0.0.1');
    socket.end('1+1\n');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await once(socket, 'close');
    return text === '2\n' ? undefined : text;
  },
  http: () => textOf('http://127.0.0.1:11080/primes?below=100', '{"below":100,"primes":25}'),
  chat: () => textOf('http://127.0.0.1:11081/', '<title>chat</title>'),
  jobs: () => textOf('http://127.0.0.1:11082/jobs', '"state":"', { method: 'POST', body: '{"text":"hello","rounds":3}' }),
};

async function textOf(url: string, wanted: string, init: RequestInit = {}): Promise<string | undefined> {
  const text = await (await fetch(url, { ...init, headers: { 'content-type': 'application/json' } })).text();
  return text.includes(wanted) ? undefined : text;
}

/** A command whose output is shown where it fails. */
function start(command: string, args: readonly string[], cwd: string): { readonly child: ChildProcess; readonly output: () => string } {
  let text = '';
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, output: () => text };
}

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { child, output } = start(command, args, cwd);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}\n${output()}`);
}

/** Asks until it answers; resolves with what is wrong with the answer. */
async function answerOf(template: string, child: ChildProcess, output: () => string): Promise<string | undefined> {
  const until = performance.now() + ANSWERS_WITHIN;
  for (;;) {
    try {
      return await ASKS[template]!();
    } catch (error) {
      if (child.exitCode !== null) return `start ended with ${child.exitCode}\n${output()}`;
      if (performance.now() > until) return `no answer: ${String(error)}\n${output()}`;
      await sleep(50);
    }
  }
}

/** Seconds of `new`, of the two commands until the answer, and of the test. */
async function tryTemplate(manager: string, template: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'try-new-'));
  try {
    const file = resolve(tarball!);
    const seconds = (from: number): string => ((performance.now() - from) / 1_000).toFixed(1);
    const begun = performance.now();
    const bring = ['exec', '--yes', `--package=${file}`, '--', 'packet-ts', 'new', 'my-app', '--template', template, '--package', file];
    await run('npm', bring, folder);
    const made = seconds(begun);
    const project = join(folder, 'my-app');
    const installing = performance.now();
    await run(manager, ['install'], project);
    const installed = seconds(installing);
    const { child, output } = start(manager, ['start'], project);
    const wrong = await answerOf(template, child, output);
    const answered = seconds(installing);
    // As Ctrl-C does: to the whole group.
    if (child.exitCode === null) process.kill(-child.pid!, 'SIGINT');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    if (wrong !== undefined) throw new Error(`the answer of ${template} is ${wrong}`);
    if (Number(answered) > MOST) throw new Error(`${template} with ${manager} answered after ${answered} s`);
    const testing = performance.now();
    await run(manager, ['test'], project);
    return `new ${made} s, install ${installed} s, to the answer ${answered} s, its test ${seconds(testing)} s`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

let failed = false;
for (const manager of managers.length > 0 ? managers : ['npm']) {
  for (const template of Object.keys(TEMPLATES)) {
    try {
      console.log(`${manager} ${template}: ${await tryTemplate(manager, template)}`);
    } catch (error) {
      failed = true;
      console.log(`${manager} ${template}: FAILED: ${(error as Error).message}`);
    }
  }
}
process.exit(failed ? 1 : 0);
