import { expect } from 'chai';
import { needsProgram, spawnProgram, tcpClient } from '../kit/index.js';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../fixtures/connections/socket-options.main.js', import.meta.url));

/** The system calls of a server with those options, and of a client that dials it with the same, that set something. */
async function calls(options: object): Promise<string[]> {
  const strace = ['-f', '-qq', '-e', 'trace=setsockopt,listen', process.execPath, MAIN, JSON.stringify(options)];
  const script = spawnProgram('strace', strace);
  const client = await tcpClient(Number(await script.line(/^\d+$/)));
  await client.line();
  client.end();
  expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
  const set = [...script.stderr.text.matchAll(/\b(?:setsockopt|listen)\(\d+, (.*)\)\s+= 0/g)].map(([, what]) => what!);
  return set.map(what => what.replace(/, 4$/, ''));
}

describe('the options of sockets', function () {
  if (!needsProgram('strace')) return;

  it('are what the manual says: no delay, kept alive after a minute, 1024 waiting', async () => {
    const set = await calls({});
    // Of the dialled socket and of both that were accepted.
    for (const what of ['SOL_TCP, TCP_NODELAY, [1]', 'SOL_SOCKET, SO_KEEPALIVE, [1]', 'SOL_TCP, TCP_KEEPIDLE, [60]'])
      expect(
        set.filter(call => call === what),
        what,
      ).to.have.length(3);
    expect(set).to.include('1024');
  });

  it('or what they are told to be', async () => {
    const set = await calls({ noDelay: false, keepAlive: '5m', backlog: 7 });
    expect(set).to.include('7').and.not.include('SOL_TCP, TCP_NODELAY, [1]');
    expect(set.filter(call => call === 'SOL_TCP, TCP_KEEPIDLE, [300]')).to.have.length(3);
    expect(await calls({ keepAlive: false })).to.not.include('SOL_SOCKET, SO_KEEPALIVE, [1]');
  });
});
