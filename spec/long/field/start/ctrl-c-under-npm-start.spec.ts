import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import {
  needsProgram,
  processesOf,
  spawnProgram,
  spawnScript,
  tcpClient,
  waitFor,
  type Script,
  type TcpClient,
} from '../../../kit/index.js';

const MAIN = new URL('../../../fixtures/workers/journal.main.js', import.meta.url);
const ENV = { JOURNAL: '/dev/null' };

/** Clients whose calls the only worker runs or has queued. */
async function busy(server: Script): Promise<TcpClient[]> {
  const port = Number(/\d+/.exec(await server.line(/^port/))![0]);
  const clients = [await tcpClient(port), await tcpClient(port), await tcpClient(port)];
  for (const [i, client] of clients.entries()) await client.send(`${i} 200\n`);
  await waitFor(() => processesOf(server.pid).some(({ command, state }) => command.startsWith('packet-ts ') && state === 'R'));
  return clients;
}

async function expectGraceful(server: Script, clients: readonly TcpClient[], code: number): Promise<void> {
  for (const [i, client] of clients.entries()) expect(await client.all({ within: '10s' })).to.equal(`${i}\n`);
  expect(await server.exit()).to.deep.equal({ code, signal: null });
  expect(server.stderr.text).to.include('"msg":"closing"').and.not.include('closing at once');
}

describe('one request to close that arrives twice', function () {
  it('lets calls finish and exits with 0 when a launcher passes on the Ctrl-C that the whole group gets', async () => {
    const launcher = fileURLToPath(new URL('../../../field/support/forwarding-launcher.js', import.meta.url));
    const server = spawnScript(launcher, [fileURLToPath(MAIN)], { env: ENV, detached: true });
    const clients = await busy(server);
    server.kill('SIGINT', { group: true });
    await expectGraceful(server, clients, 0);
  });

  it('lets calls finish and exits with 0 when the copy comes while the application is closing', async () => {
    const server = spawnScript(MAIN, [], { env: ENV });
    const clients = await busy(server);
    server.kill('SIGTERM');
    await server.errorLine(/"msg":"closing"/);
    server.kill('SIGTERM');
    await expectGraceful(server, clients, 0);
  });

  if (!needsProgram('timeout')) return;
  it('lets calls finish under timeout, which signals its child and then its group', async () => {
    const args = ['60', process.execPath, fileURLToPath(MAIN)];
    const server = spawnProgram('timeout', args, { env: ENV, detached: true });
    const clients = await busy(server);
    // What timeout does when its time is up it also does when it is told to.
    server.kill('SIGTERM');
    await expectGraceful(server, clients, 0);
  });
});
