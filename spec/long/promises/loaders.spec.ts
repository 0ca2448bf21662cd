import { expect } from 'chai';
import { build, stop } from 'esbuild';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnScript, tcpClient, type Script } from '../../kit/index.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const SOURCE = join(ROOT, 'spec/fixtures/loaders/plain.main.ts');
const COMPILED = fileURLToPath(new URL('../../fixtures/loaders/plain.main.js', import.meta.url));

/** The line of the source that throws: what a stack must point at. */
const LINE =
  readFileSync(SOURCE, 'utf8')
    .split('\n')
    .findIndex(line => line.includes('thrown on purpose')) + 1;

/** An application outside this repository, in plain JavaScript. */
const LINKED = `
import { spawn, Task, Worker } from 'packet-ts';
class Linked { ping() {} }
Task()(Linked.prototype, 'ping', Object.getOwnPropertyDescriptor(Linked.prototype, 'ping'));
Worker('linked', { timeout: '5s', restart: { maxFailedStarts: 1 } })(Linked);
const linked = await spawn(Linked);
await linked.ping();
await linked.close();
console.log('answered');
`;

/** The same for `require()`, which takes the parts when it gets to them: as fast as it can, then whenever it likes. */
const REQUIRED = `
const { spawn, Task, Worker } = require('packet-ts');
class Required { ping() {} }
Task()(Required.prototype, 'ping', Object.getOwnPropertyDescriptor(Required.prototype, 'ping'));
Worker('required', { timeout: '5s', restart: { maxFailedStarts: 1 } })(Required);
(async () => {
  for (const part of ['framing', 'testing', 'http', 'websocket']) {
    await null;
    require('packet-ts/' + part);
    await new Promise(setImmediate);
  }
  const required = await spawn(Required);
  await required.ping();
  await required.close();
  console.log('answered');
})();
`;

async function shows(server: Script): Promise<void> {
  const port = Number(/\d+/.exec(await server.line(/^port/, { within: '20s' }))![0]);
  const client = await tcpClient(port);
  await client.send('hello\nthrow\ndie\nagain\n');
  const [hello, thrown, dead, again] = (await client.lines(4, { within: '20s' })) as [string, string, string, string];
  expect(hello).to.match(/^hello in \d+$/);
  const error = JSON.parse(thrown) as { name: string; message: string; stack: string };
  expect(error).to.include({ name: 'RangeError', message: 'thrown on purpose' });
  expect(error.stack).to.include(`plain.main.ts:${LINE}:`);
  expect(JSON.parse(dead)).to.include({ name: 'WorkerCrashedError' });
  expect(again).to.match(/^again in \d+$/);
  expect(again.split(' ')[2]).to.not.equal(hello.split(' ')[2]);
  await client.destroy();
  server.kill('SIGTERM');
  expect(await server.exit()).to.deep.equal({ code: 0, signal: null });
}

describe('the same application', function () {
  const env = { PACKET_LOG: 'fatal' };

  // esbuild keeps a service process until it is told.
  after(() => stop());

  it('runs from the output of tsc', () => shows(spawnScript(COMPILED, [], { env, execArgv: ['--enable-source-maps'] })));

  it('runs under tsx, with explicit tokens', () => shows(spawnScript(SOURCE, [], { env, cwd: ROOT, execArgv: ['--import', 'tsx'] })));

  it('runs as an esbuild bundle in one file', async () => {
    // Beside the sources, so that the packages left outside the bundle are found from there.
    const folder = mkdtempSync(join(ROOT, 'dist/bundle-'));
    try {
      const bundle = join(folder, 'app.mjs');
      await build({
        entryPoints: [SOURCE],
        outfile: bundle,
        bundle: true,
        minify: true,
        sourcemap: true,
        platform: 'node',
        format: 'esm',
        target: 'node20',
        banner: { js: `import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);` },
        tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
        logLevel: 'error',
      });
      await shows(spawnScript(bundle, [], { env, execArgv: ['--enable-source-maps'] }));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('runs where CommonJS requires the package, part by part', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-required-'));
    try {
      mkdirSync(join(folder, 'node_modules'));
      symlinkSync(ROOT, join(folder, 'node_modules/packet-ts'));
      const file = join(folder, 'main.cjs');
      writeFileSync(file, REQUIRED);
      const script = spawnScript(file, [], { env });
      await script.line(/^answered/, { within: '20s' });
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('runs where the package is a symbolic link, as pnpm, workspaces and npm link make it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-linked-'));
    try {
      mkdirSync(join(folder, 'node_modules'));
      symlinkSync(ROOT, join(folder, 'node_modules/packet-ts'));
      const file = join(folder, 'main.mjs');
      writeFileSync(file, LINKED);
      const script = spawnScript(file, [], { env });
      await script.line(/^answered/, { within: '20s' });
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
