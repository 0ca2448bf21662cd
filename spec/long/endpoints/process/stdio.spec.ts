import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import '../../../../src/endpoints/index.js';
import { schemeNamed } from '../../../../src/endpoints/endpoint.js';
import { echoConformance } from '../../../kit/conformance/echo-conformance.js';
import { atEnd, needsProgram, spawnProgram, spawnScript, tcpClient, type Script } from '../../../kit/index.js';

const MAIN = fileURLToPath(new URL('../../../fixtures/connections/stdio.main.js', import.meta.url));
const NODE = `'${process.execPath}' '${MAIN}'`;
const BYTES = fileURLToPath(new URL('../../../fixtures/connections/bytes.main.js', import.meta.url));
const OK = { code: 0, signal: null };

function app(...flags: readonly string[]): Script {
  return spawnScript(MAIN, flags);
}

/** A process whose stdin and stdout are the connection, as a transport to it. */
echoConformance('stdio', () =>
  schemeNamed('exec')!.connect!(
    { url: 'exec:node', exec: { command: process.execPath, args: [BYTES, 'listen', 'stdio:'], options: {} }, options: {} },
    new AbortController().signal,
  ),
);

describe('stdio:', function () {
  it('checks its url', () => {
    const { check } = schemeNamed('stdio')!;
    expect(check!({ url: 'stdio:', options: {} }, 'listen')).to.equal(undefined);
    expect(check!({ url: 'stdio:x', options: {} }, 'listen')).to.match(/nothing behind it/);
  });

  for (const flag of ['listen', 'connect']) {
    it(`as ${flag}: answers what is piped in, to the last line, and the application closes by itself`, async () => {
      const script = app(flag);
      script.stdin.end('one\ntwo\nthree');
      expect(await script.exit()).to.deep.equal(OK);
      expect(script.stdout.text).to.equal('ONE\nTWO\nTHREE\n');
      expect(script.stderr.text).to.match(/started\n[^]*closed by peer END\n[^]*stopped\n$/);
    });
  }

  it('is a filter between the pipes of a shell', async () => {
    const shell = spawnProgram('sh', ['-c', `printf 'a\\nb\\n' | ${NODE} | tr A x`]);
    expect(await shell.exit()).to.deep.equal(OK);
    expect(shell.stdout.text).to.equal('x\nB\n');
  });

  it('reads and writes files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-'));
    atEnd(() => rmSync(folder, { recursive: true }));
    const [from, to] = [join(folder, 'from'), join(folder, 'to')];
    writeFileSync(from, 'line\n'.repeat(10_000));
    const files = [openSync(from, 'r'), openSync(to, 'w')];
    const child = spawn(process.execPath, [MAIN], { stdio: [...files, 'ignore'] });
    for (const file of files) closeSync(file);
    expect(await once(child, 'exit')).to.deep.equal([0, null]);
    expect(readFileSync(to, 'utf8')).to.equal('LINE\n'.repeat(10_000));
  });

  it('with nothing to read greets and ends', async () => {
    const child = spawn(process.execPath, [MAIN, 'greets'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const said: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
    expect(await once(child, 'close')).to.deep.equal([0, null]);
    expect(Buffer.concat(said).toString()).to.equal('hello\n');
  });

  it('keeps logs out of stdout', async () => {
    const script = app();
    await script.errorLine(/"msg":"listening"/);
    script.stdin.end('x\n');
    await script.exit();
    expect(script.stdout.text).to.equal('X\n');
  });

  it('end() finishes although nobody ends stdin', async () => {
    const script = app();
    script.stdin.write('one\nbye\n');
    expect(await script.exit()).to.deep.equal(OK);
    expect(script.stdout.text).to.equal('ONE\ngoodbye\n');
    expect(script.stderr.text).to.contain('closed by local END');
  });

  it('destroy() finishes at once', async () => {
    const script = app();
    script.stdin.write('destroy\n');
    expect(await script.exit()).to.deep.equal(OK);
    expect(script.stderr.text).to.contain('closed by local DESTROY');
  });

  it('SIGTERM lets it say goodbye', async () => {
    const script = app();
    script.stdin.write('one\n');
    expect(await script.line()).to.equal('ONE');
    script.kill('SIGTERM');
    expect(await script.exit()).to.deep.equal(OK);
    expect(script.stdout.text).to.equal('ONE\nclosing\n');
    expect(script.stderr.text).to.contain('closed by shutdown SHUTDOWN');
  });

  it('tells of a reader that is gone as of a peer that left', async () => {
    const shell = spawnProgram('sh', ['-c', `{ echo a; while echo b; do :; done; } | ${NODE} | head -n 1`]);
    expect(await shell.exit()).to.deep.equal(OK);
    expect(shell.stdout.text).to.equal('A\n');
    expect(shell.stderr.text).to.contain('closed by peer EPIPE');
  });

  it('does not block when nobody reads: it is congested, and goes on when somebody does', async () => {
    const child = spawn(process.execPath, [MAIN], { stdio: ['pipe', 'pipe', 'pipe'] });
    atEnd(() => void child.kill('SIGKILL'));
    child.stdin.write('flood\n');
    let told = '';
    for await (const chunk of child.stderr) if ((told += String(chunk)).includes('congested')) break;
    expect(told).to.contain('congested with true');
    let tail = '';
    child.stdin.end();
    for await (const chunk of child.stdout) tail = (tail + String(chunk)).slice(-100);
    expect(tail).to.match(/x\nflushed\n$/);
  });

  it('a reader that never reads is dropped after drainTimeout, and the process ends all the same', async () => {
    const child = spawn(process.execPath, [MAIN], { stdio: ['pipe', 'pipe', 'pipe'] });
    atEnd(() => void child.kill('SIGKILL'));
    let told = '';
    child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
    child.stdin.write('choke\n');
    expect(await once(child, 'exit')).to.deep.equal([0, null]);
    expect(told).to.contain('closed by limit drainTimeout');
    child.stdout.destroy();
  });

  it('an application that listens elsewhere too stays, stdout ends for its reader, and what is logged there later does no harm', async () => {
    const script = app('stays');
    const url = await script.errorLine(/^tcp:/);
    script.stdin.end('one\n');
    await script.stdout.rest();
    expect(script.stdout.text).to.equal('ONE\n');
    const client = await tcpClient(Number(new URL(url).port));
    await client.send('you\n');
    expect(await client.line()).to.equal('still here, you');
    await client.send('again\n');
    expect(await client.line()).to.equal('still here, again');
    client.end();
    script.kill('SIGTERM');
    expect(await script.exit()).to.deep.equal(OK);
  });

  it('an application whose connection is stdio can be served to the network by another program', async () => {
    if (!needsProgram('socat')) return;
    const server = spawnProgram('socat', ['-d', '-d', 'TCP-LISTEN:0,bind=127.0.0.1', `EXEC:"${process.execPath} ${MAIN}"`]);
    const port = Number(/:(\d+)$/.exec(await server.errorLine(/listening on/))![1]);
    const client = await tcpClient(port);
    await client.send('over the wire\n');
    expect(await client.line()).to.equal('OVER THE WIRE');
    client.end();
    expect(await server.exit()).to.deep.equal(OK);
  });

  it('there is one in the life of a process, and a worker has none', async () => {
    const script = spawnScript(new URL('../../../fixtures/mistakes/two-stdio.main.js', import.meta.url));
    await script.exit();
    const said = script.stderr.text;
    expect(said).to.match(/^ListenError: cannot listen on stdio:: stdin and stdout have been a connection of this process already$/m);
    expect(said).to.match(/^ConfigurationError: .*InWorker.*'fd:3' is given to the process that was started, and a worker is another one/m);
  });
});
