import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '../../../src/endpoints/index.js';
import { schemeNamed, type Bound, type Scheme, type Transport } from '../../../src/endpoints/endpoint.js';
import { WireClient } from '../../kit/clients/wire-client.js';

describe('unix:', () => {
  const unix = schemeNamed('unix') as Required<Scheme>;
  const nobody = { accept: (transport: Transport) => transport.destroy(), failed: () => {} };
  const bound: Bound[] = [];
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'packet-'));
    path = join(folder, 'app.sock');
  });
  afterEach(async () => {
    for (const each of bound.splice(0)) await each.close();
    rmSync(folder, { recursive: true });
  });
  const listen = async (options = {}): Promise<Bound> => {
    const each = await unix.listen({ url: `unix:${path}`, options }, nobody);
    bound.push(each);
    return each;
  };
  const refused = (): Promise<Error & { code?: string }> =>
    listen().then(
      () => new Error('it listens'),
      (error: Error) => error,
    );
  const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);

  it('is made with mode 0600, and the umask is as before', async () => {
    const umask = process.umask(0o022);
    try {
      await listen();
      expect(modeOf(path)).to.equal('600');
      expect(process.umask()).to.equal(0o022);
    } finally {
      process.umask(umask);
    }
  });

  it('has that mode from its first moment: it is made by the bind, not changed after it', async () => {
    const listening = unix.listen({ url: `unix:${path}`, options: {} }, nobody);
    // The system call has happened, and nothing else yet.
    expect(modeOf(path)).to.equal('600');
    bound.push(await listening);
  });

  it('takes another mode when it is told', async () => {
    await listen({ mode: 0o660 });
    expect(modeOf(path)).to.equal('660');
  });

  it('is removed at close', async () => {
    const listener = await listen();
    await listener.close();
    expect(existsSync(path)).to.equal(false);
  });

  it('replaces the file that a process left when it was killed', async () => {
    const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const died = once(child, 'exit');
    child.kill('SIGKILL');
    await died;
    const stale = lstatSync(path, { bigint: true });
    await listen();
    const fresh = lstatSync(path, { bigint: true });
    expect(fresh.isSocket()).to.equal(true);
    expect(fresh.ctimeNs).to.not.equal(stale.ctimeNs);
  });

  it('refuses one that somebody listens on, and leaves it alone', async () => {
    await listen();
    const before = lstatSync(path).ino;
    const error = await refused();
    expect(error).to.include({ name: 'ListenError', code: 'ERR_PACKET_LISTEN' });
    expect(error.message).to.match(/something listens there already/);
    expect(lstatSync(path).ino).to.equal(before);
  });

  it('never removes a file that is no socket', async () => {
    writeFileSync(path, 'precious');
    expect((await refused()).message).to.match(/a file that is no socket/);
    expect(readFileSync(path, 'utf8')).to.equal('precious');
  });

  it('says what is wrong with a folder that does not exist', async () => {
    path = join(folder, 'missing', 'app.sock');
    expect((await refused()).message).to.contain(`there is no folder ${join(folder, 'missing')}`);
  });

  it('checks its url: a path must be there and fit into a socket address', () => {
    const check = (url: string): string | undefined => unix.check({ url, options: {} }, 'listen');
    expect(check('unix:')).to.match(/no path/);
    expect(check(`unix:/${'x'.repeat(200)}`)).to.match(/201 bytes/);
    expect(check('unix:/run/app.sock')).to.equal(undefined);
    expect(check('unix:///run/app.sock')).to.equal(undefined);
  });

  it('two that start at once on a stale file: one listens, the other is told', async () => {
    const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await once(spawn(process.execPath, ['-e', program], { stdio: 'ignore' }), 'exit');
    const outcomes = await Promise.allSettled([listen(), listen(), listen()]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).to.have.property('name', 'ListenError');
    const client = await unix.connect({ url: `unix:${path}`, options: {} }, new AbortController().signal);
    client.destroy();
  });

  it('connects to abstract sockets, and does not listen on one: they have no permissions', async () => {
    const name = `packet-ts-${process.pid}`;
    const server = createServer(socket => socket.end('hello')).listen(`\0${name}`);
    await once(server, 'listening');
    try {
      const client = await WireClient.connect(`unix:@${name}`);
      expect(client.transport.remote.url).to.equal(`unix:@${name}`);
      expect(await client.readsAll()).to.equal('hello');
      client.end();
      await client.whenClosed();
    } finally {
      server.close();
    }
    expect(unix.check({ url: 'unix:@x', options: {} }, 'listen')).to.match(/no permissions/);
    expect(unix.check({ url: 'unix:@x', options: {} }, 'connect')).to.equal(undefined);
    expect(unix.check({ url: 'unix:./@x', options: {} }, 'listen')).to.equal(undefined);
  });

  it('a connect where no file is, is refused', async () => {
    const error = await unix.connect({ url: `unix:${path}`, options: {} }, new AbortController().signal).catch((thrown: Error) => thrown);
    expect(error).to.include({ name: 'ConnectError', reason: 'refused' });
  });
});
