import { expect } from 'chai';
import { spawnScript, tcpClient, type Script, type TcpClient } from '../../kit/index.js';

const MAIN = new URL('../../fixtures/misbehaviour/stray.main.js', import.meta.url);

async function start(env: Readonly<Record<string, string>> = {}): Promise<{ server: Script; client: TcpClient }> {
  const server = spawnScript(MAIN, [], { env });
  const port = Number(/\d+/.exec(await server.line(/^port/))![0]);
  return { server, client: await tcpClient(port) };
}

describe('a process that runs an application', function () {
  it('logs an exception that nothing caught, closes and exits with 1', async () => {
    const { server, client } = await start();
    await client.send('throw\n');
    await server.errorLine(/"level":60.*a stray exception/);
    expect(await server.exit()).to.deep.equal({ code: 1, signal: null });
  });

  it('logs a promise that nobody awaited, and goes on', async () => {
    const { server, client } = await start();
    await client.send('reject\n');
    expect(await client.line()).to.equal('reject');
    const line = await server.errorLine(/"level":50.*a stray promise/);
    // Before Node 24 it would make every promise of the process dearer.
    const isNamed = Number(process.versions.node.split('.')[0]) >= 24;
    expect(/"handler":"Stray","connection":"[^"]+"/.test(line)).to.equal(isNamed);
    await client.send('on\n');
    expect(await client.line()).to.equal('on');
    server.kill('SIGINT');
    expect(await server.exit()).to.deep.equal({ code: 0, signal: null });
  });

  it("closes after both with uncaught: 'close', after neither with 'log'", async () => {
    const closing = await start({ UNCAUGHT: 'close' });
    await closing.client.send('reject\n');
    expect(await closing.server.exit()).to.deep.equal({ code: 1, signal: null });
    const logging = await start({ UNCAUGHT: 'log' });
    await logging.client.send('throw\n');
    expect(await logging.client.line()).to.equal('throw');
    await logging.server.errorLine(/a stray exception/);
    await logging.client.send('on\n');
    expect(await logging.client.line()).to.equal('on');
    logging.server.kill('SIGTERM');
    expect(await logging.server.exit()).to.deep.equal({ code: 0, signal: null });
  });

  it('exits when the last of its applications has closed, whatever their loggers throw', async () => {
    const server = spawnScript(new URL('../../fixtures/connections/two-apps.main.js', import.meta.url));
    await server.line('ready');
    server.kill('SIGTERM');
    await server.line('slow has stopped');
    expect(await server.exit()).to.deep.equal({ code: 0, signal: null });
    const stray = spawnScript(new URL('../../fixtures/connections/two-apps.main.js', import.meta.url), [], { env: { STRAY: 'yes' } });
    await stray.errorLine(/a stray exception/);
    await stray.line('slow has stopped');
    expect(await stray.exit()).to.deep.equal({ code: 1, signal: null });
  });

  it('closes at once at a second signal, with exit code 1', async () => {
    const { server, client } = await start({ SLOW: 'yes' });
    await client.send('hello\n');
    await client.line();
    server.kill('SIGTERM');
    await server.errorLine(/"msg":"closing"/);
    server.kill('SIGINT');
    expect(await server.exit({ within: '5s' })).to.deep.equal({ code: 1, signal: null });
  });
});
