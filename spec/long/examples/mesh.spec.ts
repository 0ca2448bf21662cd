import { expect } from 'chai';
import {
  holdExamplePorts,
  natsServer,
  needsProgram,
  spawnScript,
  tcpClient,
  waitFor,
  type NatsServer,
  type Script,
  type TcpClient,
} from '../../kit/index.js';

const PORT = 11_006;
const CLIENTS = 200;
const LINES = 100;

async function ask(client: TcpClient, source: string): Promise<string> {
  await client.send(`${source}\n`);
  return client.line({ within: '20s' });
}

describe('the example mesh: the eval server with two worker hosts', function () {
  this.timeout(120_000);
  if (!needsProgram('nats-server')) return;

  let nats: NatsServer;
  let hosts: Script[];
  let server: Script;

  const start = (file: string, ...args: string[]): Script =>
    spawnScript(new URL(`../../../examples/mesh/${file}`, import.meta.url), args, { env: { NATS: nats.url } });

  before(holdExamplePorts);
  before(async () => {
    nats = await natsServer();
    hosts = ['one', 'two'].map(name => start('host.js', name));
    for (const host of hosts) await host.line(/Worker host/);
    server = start('main.js');
    await server.line(/11006/);
  });

  after(async () => {
    for (const script of [server, ...hosts]) {
      script.kill('SIGTERM');
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
    }
    await nats.kill();
  });

  it('answers, and tells errors in one line', async () => {
    const client = await tcpClient(PORT);
    expect(await ask(client, '1+1')).to.equal('2');
    expect(await ask(client, '1 +')).to.match(/^SyntaxError: /);
    await client.destroy();
  });

  it('kills an endless loop after its timeout, and survives crashes', async () => {
    const client = await tcpClient(PORT);
    expect(await ask(client, 'while(true){}')).to.match(/^WorkerTimeoutError: /);
    expect(
      await ask(
        client,
        `this.constructor.constructor('return process')().kill(this.constructor.constructor('return process')().pid, 'SIGKILL')`,
      ),
    ).to.match(/^WorkerCrashedError: /);
    expect(await ask(client, '2+2')).to.equal('4');
    await client.destroy();
  });

  it('serves 200 clients of 100 lines each, from both hosts', async () => {
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => tcpClient(PORT)));
    await Promise.all(
      clients.map(async (client, c) => {
        await client.send(Array.from({ length: LINES }, (_, i) => `${c} * 1000 + ${i}\n`).join(''));
        for (let i = 0; i < LINES; i++) expect(await client.line({ within: '60s' })).to.equal(String(c * 1000 + i));
        await client.destroy();
      }),
    );
  });

  it('goes on when one of its hosts is killed', async () => {
    const client = await tcpClient(PORT);
    hosts.shift()!.kill('SIGKILL');
    await waitFor(async () => (await ask(client, '3+3')) === '6', { within: '20s', what: 'an answer of the other host' });
    await client.destroy();
  });
});
