import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { soon, spawnProgram, spawnScript, tcpClient, waitFor } from './index.js';
import { holdings, surplus } from './leftovers.js';
import { processInfo } from './programs/process-table.js';

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail('it was expected to reject'),
    (error: Error) => error,
  );
}

describe('the test kit', () => {
  it('waits until a condition holds, and takes one that throws for not yet', async () => {
    let asked = 0;
    const value = await waitFor(() => {
      asked += 1;
      if (asked === 1) throw new Error('not yet');
      return asked >= 3 && 'there';
    });
    expect(value).to.equal('there');
  });

  it('gives up in time, and says what it waited for and why it was not so', async () => {
    const refuse = (): never => {
      throw new Error('the reason');
    };
    const error = await failure(waitFor(refuse, { within: '20ms', what: 'the moon' }));
    expect(error.message).to.equal('after 10 × 20ms still waiting for the moon');
    expect(error.cause).to.have.property('message', 'the reason');
    expect((await failure(soon(new Promise(() => {}), { within: '5ms' }))).message).to.contain('still waiting');
  });

  it('talks to a script line by line and sees how it ends', async () => {
    const script = spawnProgram(process.execPath, ['-e', 'process.stdin.on("data", d => console.log("got " + d)); console.error("ready")']);
    await script.errorLine('ready');
    script.stdin.write('tea');
    expect(await script.line(/^got/)).to.equal('got tea');
    script.kill('SIGTERM');
    expect(await script.exit()).to.deep.equal({ code: null, signal: 'SIGTERM' });
  });

  it('tells what a script said when it does not say what is expected', async () => {
    const script = spawnProgram(process.execPath, ['-e', 'console.log("something else")']);
    expect((await failure(script.line('the word'))).message).to.match(/ended before a line/);
    expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
  });

  it('reads a socket by line, by count and to the end, and tells a reset from an end', async () => {
    const server = createServer(socket => socket.on('error', () => {}).end('one\r\ntwo\nabcdrest')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = await tcpClient(port);
    expect(await client.lines(2)).to.deep.equal(['one', 'two']);
    expect(String(await client.bytes(4))).to.equal('abcd');
    expect(await client.all()).to.equal('rest');
    client.end();
    expect(await client.closed).to.equal(false);
    server.close();
    await once(server, 'close');
  });

  it('finds what a test leaves behind: descriptors, timers, processes whose parent is gone', async () => {
    await undefined; // mocha's own timer of this test runs from here on
    const before = holdings();
    expect(surplus(before, holdings())).to.deep.equal([]);
    const descriptor = openSync(fileURLToPath(import.meta.url), 'r');
    const server = createServer().listen(0, '127.0.0.1');
    // Its parent leaves at once: nobody's descendant, found by the mark in its environment.
    const parent = spawn('/bin/sh', ['-c', 'sleep 30 </dev/null >/dev/null 2>&1 & echo $!'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [orphan] = (await once(parent.stdout, 'data')) as [Buffer];
    await once(parent, 'close');

    try {
      // The shell's child is `sleep` only once it has replaced itself.
      await waitFor(() => processInfo(Number(orphan))?.command === 'sleep 30');
      const left = surplus(before, holdings()).join('\n');
      expect(left).to.match(/^descriptor \d+ → .*kit\.spec\.js$/m);
      expect(left).to.contain('active resource TCPServerWrap');
      expect(left).to.match(new RegExp(`^process ${Number(orphan)} \\(.\\) sleep 30$`, 'm'));
    } finally {
      process.kill(Number(orphan), 'SIGKILL');
      closeSync(descriptor);
      server.close();
    }
    await waitFor(() => surplus(before, holdings()).length === 0);
  });

  let kept: ReturnType<typeof spawnScript> | undefined;

  it('ends what a test has started …', () => {
    kept = spawnProgram('sleep', ['30']);
    expect(kept.running).to.equal(true);
  });

  it('… before the next one begins', () => {
    expect(kept!.running).to.equal(false);
  });
});
