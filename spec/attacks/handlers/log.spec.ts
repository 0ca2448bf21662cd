import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import { expect } from 'chai';
import { atEnd, Inbox, tcpClient, waitFor, type TcpClient } from '../../kit/index.js';

const MAIN = fileURLToPath(new URL('../../fixtures/logging/log.main.js', import.meta.url));

/** The application, with its stderr wherever the test wants it. */
async function start(stderr: number | 'pipe', ...args: string[]): Promise<{ child: ChildProcess; port: number; exit: Promise<unknown[]> }> {
  const child = spawn(process.execPath, ['--enable-source-maps', MAIN, ...args], { stdio: ['ignore', 'pipe', stderr] });
  const exit = once(child, 'exit');
  atEnd(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  const out = new Inbox();
  child.stdout!.on('data', (chunk: Buffer) => out.push(chunk));
  child.stdout!.on('close', () => out.end());
  return { child, port: Number(await out.lineLike(/^\d+$/, { within: '10s' })), exit };
}

/** Peers that send what cannot be read; each is closed for it. */
async function offend(port: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const peer = await tcpClient(port);
    await peer.send('x\n');
    await peer.all();
    peer.end();
  }
}

async function answers(client: TcpClient, message: unknown): Promise<void> {
  await client.send(`${JSON.stringify(message)}\n`);
  expect(await client.line()).to.equal(JSON.stringify(message));
}

describe('a log that cannot be written', function () {
  this.slow(6000);

  for (const [whose, ...args] of [['the framework'], ['the application', 'pino']]) {
    it(`because its disk is full is nobody's exception, and SIGTERM ends the process with 0 (the logger of ${whose})`, async () => {
      const full = openSync('/dev/full', 'w');
      atEnd(() => closeSync(full));
      const { child, port, exit } = await start(full, ...args);
      const neighbour = await tcpClient(port);
      await offend(port, 15);
      for (const message of [20, 'print', 'stray', 'still here']) await answers(neighbour, message);
      neighbour.end();
      child.kill('SIGTERM');
      expect(await exit).to.deep.equal([0, null]);
    });
  }

  it("because its reader has left is nobody's exception either", async () => {
    const { child, port, exit } = await start('pipe');
    child.stderr!.destroy();
    const neighbour = await tcpClient(port);
    await offend(port, 15);
    for (const message of [20, 'print', 'stray', 'still here']) await answers(neighbour, message);
    neighbour.end();
    child.kill('SIGTERM');
    expect(await exit).to.deep.equal([0, null]);
  });
});

describe('a log whose reader stalls', function () {
  this.slow(6000);

  /** A pipe with a reader that reads when the test wants it to. */
  async function pipe(): Promise<{ readonly writer: number; readonly read: () => string }> {
    const folder = await mkdtemp(join(tmpdir(), 'packet-ts-'));
    const path = join(folder, 'log');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY);
    atEnd(async () => {
      closeSync(reader);
      closeSync(writer);
      await rm(folder, { recursive: true });
    });
    const buffer = Buffer.alloc(1 << 20);
    const read = (): string => {
      try {
        return buffer.toString('utf8', 0, readSync(reader, buffer));
      } catch {
        // Nothing is there.
        return '';
      }
    };
    return { writer, read };
  }

  it('holds up nobody, keeps a megabyte for it, and then says how many lines were dropped', async () => {
    const { writer, read } = await pipe();
    const { port } = await start(writer);
    const neighbour = await tcpClient(port);
    for (const message of [3000, 'still here']) await answers(neighbour, message);
    let log = '';
    await waitFor(() => (log += read()).includes('log lines were dropped'), { within: '10s' });
    await answers(neighbour, 1);
    await waitFor(() => (log += read()).endsWith('"msg":"flood"}\n'));
    const lines = log
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as { msg: string; line?: number; dropped?: number });
    const told = lines.findIndex(({ dropped }) => dropped !== undefined);
    const flood = lines.slice(0, told).filter(({ msg }) => msg === 'flood');
    expect(flood.map(({ line }) => line)).to.deep.equal(flood.map((_, i) => i + 1));
    expect(flood.length * 1000).to.be.within(900_000, 1_200_000);
    expect(lines[told]).to.include({ level: 40, code: 'EAGAIN', dropped: 3000 - flood.length });
    expect(lines.at(-1)).to.include({ line: 1 });
    neighbour.end();
  });

  for (const way of ['SIGTERM', 'process.exit()']) {
    it(`does not keep ${way} from ending the process`, async () => {
      const { writer } = await pipe();
      const { child, port, exit } = await start(writer);
      const neighbour = await tcpClient(port);
      await answers(neighbour, 3000);
      if (way === 'SIGTERM') child.kill('SIGTERM');
      else await neighbour.send('"exit"\n');
      expect(await exit).to.deep.equal([0, null]);
      await neighbour.all();
      neighbour.end();
    });
  }

  it('gets the last lines of a process that exits while it reads slowly', async () => {
    const { child, port, exit } = await start('pipe');
    const neighbour = await tcpClient(port);
    // Whatever the system keeps for a reader is full.
    await answers(neighbour, 600);
    child.kill('SIGTERM');
    let log = '';
    child.stderr!.on('data', (chunk: Buffer) => (log += chunk.toString()));
    expect(await exit).to.deep.equal([0, null]);
    if (!child.stderr!.readableEnded) await once(child.stderr!, 'end');
    await neighbour.all();
    neighbour.end();
    expect(log.match(/"msg":"flood"/g)).to.have.length(600);
    expect(log).to.match(/"msg":"closing"\}\n$/);
  });
});

describe('a peer that does what it must not', () => {
  it('again and again is logged ten times and counted, without a stack, without a byte of what it sent', async () => {
    const { child, port, exit } = await start('pipe');
    let log = '';
    child.stderr!.on('data', (chunk: Buffer) => (log += chunk.toString()));
    for (let i = 0; i < 60; i++) {
      const peer = await tcpClient(port);
      await peer.send('hunter2\n');
      await peer.all();
      peer.end();
    }
    child.kill('SIGTERM');
    await exit;
    if (!child.stderr!.readableEnded) await once(child.stderr!, 'end');
    const lines = log
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as { msg: string; untold?: number; level: number });
    const offences = lines.filter(({ msg }) => msg === 'the peer sent what the framing cannot read');
    const whole = offences.filter(line => 'err' in line).length;
    expect(whole).to.be.at.least(10);
    expect(whole + offences.reduce((sum, { untold = 0 }) => sum + untold, 0)).to.equal(60);
    expect(log).to.not.include('hunter2').and.not.include(' at ');
    expect(offences.every(({ level }) => level === 40)).to.equal(true);
  });
});
