import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import '../../../../src/endpoints/index.js';
import { schemeNamed, type Scheme, type Transport } from '../../../../src/endpoints/endpoint.js';
import { lookAt } from '../../../../src/endpoints/process/inherited.js';
import { descriptorsOf, readHanded } from '../../../../src/endpoints/process/systemd.js';
import { echoConformance } from '../../../kit/conformance/echo-conformance.js';
import { atEnd, Inbox, needsProgram, spawnProgram, tcpClient } from '../../../kit/index.js';

const BYTES = fileURLToPath(new URL('../../../fixtures/connections/bytes.main.js', import.meta.url));
const MAIN = fileURLToPath(new URL('../../../fixtures/connections/inherited.main.js', import.meta.url));

/** A process that was given sockets as its descriptors 3, 4, … */
interface Heir {
  readonly child: ChildProcess;
  readonly out: Inbox;
  exit(): Promise<number | null>;
}

function descriptor(socket: Server | Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

/** Runs the fixture in a shell that may prepare its environment: `exec` keeps the pid. */
function heir(sockets: readonly (Server | Socket | 'ignore')[], args: readonly string[], main = MAIN, prepare = ''): Heir {
  const given = sockets.map(socket => (socket === 'ignore' ? socket : descriptor(socket)));
  const script = `${prepare} exec "$0" "$@"`;
  const child = spawn('sh', ['-c', script, process.execPath, main, ...args], { stdio: ['ignore', 'pipe', 'inherit', ...given] });
  const out = new Inbox();
  child.stdout!.on('data', (chunk: Buffer) => out.push(chunk));
  child.stdout!.on('close', () => out.end());
  const exited = once(child, 'close') as Promise<[number | null]>;
  atEnd(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { child, out, exit: async () => (await exited)[0] };
}

async function server(where: { port: number; host: string } | { path: string }): Promise<Server> {
  const listening = createServer({ pauseOnConnect: true }).listen(where);
  await once(listening, 'listening');
  atEnd(() => void listening.close());
  return listening;
}

const anyPort = { port: 0, host: '127.0.0.1' };
const addressesOf = async ({ out }: Heir): Promise<{ url: string; port: number; path?: string }[]> =>
  JSON.parse(await out.line({ within: '10s' })) as { url: string; port: number; path?: string }[];

/** A listening socket that only its heir listens on: the parent keeps the descriptor and does not accept. */
async function left(sockets: readonly Server[], args: readonly string[], prepare = ''): Promise<Heir> {
  const child = heir(sockets, args, MAIN, prepare);
  for (const socket of sockets) socket.close();
  return child;
}

/** A process that has one end of a connection as its descriptor 3; the other end is the transport. */
async function echoing(): Promise<Transport> {
  const listening = await server(anyPort);
  const arrives = once(listening, 'connection') as Promise<[Socket]>;
  const url = `tcp://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  const transport = await schemeNamed('tcp')!.connect!({ url, options: {} }, new AbortController().signal);
  const [socket] = await arrives;
  heir([socket], ['connect', 'fd:3'], BYTES);
  socket.destroy();
  return transport;
}

echoConformance('fd', echoing);

describe('a descriptor that was inherited', function () {
  it('fd: listens on a TCP socket; clients see nothing special, and children do not have it', async () => {
    const socket = await server(anyPort);
    const { port } = socket.address() as AddressInfo;
    const inode = readlinkSync(`/proc/self/fd/${descriptor(socket)}`);
    const app = await left([socket], ['listen', 'fd:3']);
    expect(await addressesOf(app)).to.deep.equal([{ url: `tcp://127.0.0.1:${port}`, host: '127.0.0.1', port }]);
    const client = await tcpClient(port);
    await client.send('one\nwhere\nworker\n');
    expect(await client.lines(3)).to.deep.equal(['hello', 'ONE', `["tcp://127.0.0.1:${port}","tcp://127.0.0.1:"]`]);
    const inWorker = JSON.parse(await client.line({ within: '10s' })) as string[];
    client.end();
    app.child.kill('SIGTERM');
    expect(await app.exit()).to.equal(0);
    expect(inWorker.some(name => name.startsWith('socket:'))).to.equal(true);
    expect(inWorker).to.not.include(inode);
    const freed = await server({ port, host: '127.0.0.1' });
    expect(freed.listening).to.equal(true);
  });

  it('fd: listens on a unix socket, finds out where, and leaves its file to whoever made it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-'));
    atEnd(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'given.sock');
    const socket = await server({ path });
    const app = heir([socket], ['listen', 'fd:3']);
    expect(await addressesOf(app)).to.deep.equal([{ url: `unix:${path}`, host: '', port: 0, path }]);
    app.child.kill('SIGTERM');
    expect(await app.exit()).to.equal(0);
    expect(existsSync(path)).to.equal(true);
  });

  it('fd: is a connection, too: what inetd does', async () => {
    const accepting = await server(anyPort);
    const arrives = once(accepting, 'connection') as Promise<[Socket]>;
    const client = await tcpClient((accepting.address() as AddressInfo).port);
    const [socket] = await arrives;
    const app = heir([socket], ['connect', 'fd:3']);
    socket.destroy();
    await client.send('through\nwhere\n');
    expect(await client.line({ within: '10s' })).to.equal('hello');
    expect(await client.line()).to.equal('THROUGH');
    expect(await client.line()).to.match(/^\["tcp:\/\/127/);
    client.end();
    await client.closed;
    // It dials no more: there is nothing left to do.
    expect(await app.exit()).to.equal(0);
  });

  it('suspended, it stays and refuses; resumed, it serves again', async () => {
    const socket = await server(anyPort);
    const { port } = socket.address() as AddressInfo;
    const app = await left([socket], ['by-hand', 'fd:3']);
    await addressesOf(app);
    const first = await tcpClient(port);
    await first.send('suspend\n');
    expect(await first.lines(2)).to.deep.equal(['hello', 'suspended']);
    const refused = await tcpClient(port);
    expect(await refused.all()).to.equal('');
    await first.send('resume\n');
    expect(await first.line()).to.equal('RESUME');
    const second = await tcpClient(port);
    expect(await second.line()).to.equal('hello');
    for (const client of [first, second]) client.end();
    app.child.kill('SIGTERM');
    expect(await app.exit()).to.equal(0);
  });

  it('says what is wrong with it, at the start', async () => {
    const listening = await server(anyPort);
    const arrives = once(listening, 'connection') as Promise<[Socket]>;
    const client = await tcpClient((listening.address() as AddressInfo).port);
    const [connected] = await arrives;
    const complaint = async (sockets: readonly (Server | Socket | 'ignore')[], ...args: readonly string[]): Promise<string> => {
      const app = heir(sockets, args);
      expect(await app.exit()).to.equal(3);
      return app.out.text;
    };
    const [open, file, peer, twice] = await Promise.all([
      complaint([], 'listen', 'fd:77'),
      complaint(['ignore'], 'listen', 'fd:3'),
      complaint([connected], 'listen', 'fd:3'),
      complaint([listening], 'listen', 'fd:3', 'fd:3'),
    ]);
    expect(open).to.equal('ListenError: cannot listen on fd:77: descriptor 77 is not open: it was not passed to this process\n');
    expect(file).to.equal('ListenError: cannot listen on fd:3: descriptor 3 is no stream socket\n');
    expect(peer).to.contain('descriptor 3 is a connection, not a listening socket: write it as `connect:`');
    expect(twice).to.contain('descriptor 3 has been taken by this process already');
    connected.destroy();
    client.end();
  });

  it('fd: refuses to connect to a listening socket, and checks its url', async () => {
    const fd = schemeNamed('fd') as Required<Scheme>;
    const listening = await server(anyPort);
    const url = `fd:${descriptor(listening)}`;
    const error = await fd.connect({ url, options: {} }, new AbortController().signal).catch((thrown: Error) => thrown);
    expect(error).to.include({ name: 'ConnectError', reason: 'refused' });
    expect((error as Error).message).to.contain('is a listening socket, not a connection: write it as `listen:`');
    const aborted = await fd.connect({ url, options: {} }, AbortSignal.abort()).catch((thrown: Error) => thrown);
    expect(aborted).to.include({ reason: 'aborted' });
    expect(fd.check({ url: 'fd:x', options: {} }, 'listen')).to.match(/number of a descriptor/);
    expect(fd.check({ url: 'fd:3', options: {} }, 'listen')).to.equal(undefined);
  });

  it('is looked at without being touched', async () => {
    const listening = await server(anyPort);
    expect(lookAt(descriptor(listening))).to.deep.equal({ kind: 'tcp', listening: true });
    expect(lookAt(9_999)).to.equal(undefined);
    expect(lookAt(2)).to.include({ listening: false });
  });
});

describe('systemd:', function () {
  const HANDED = 'LISTEN_PID=$$; export LISTEN_PID;';

  it('listens on the sockets of a name, and takes the variables away from its children', async () => {
    const sockets = [await server(anyPort), await server(anyPort), await server(anyPort)];
    const ports = sockets.map(socket => (socket.address() as AddressInfo).port);
    const app = await left(
      sockets,
      ['listen', 'systemd:web', 'systemd:admin'],
      `${HANDED} export LISTEN_FDS=3 LISTEN_FDNAMES=web:admin:web;`,
    );
    expect((await addressesOf(app)).map(({ port }) => port)).to.deep.equal([ports[0], ports[2], ports[1]]);
    const clients = await Promise.all(ports.map(port => tcpClient(port)));
    for (const client of clients) expect(await client.line()).to.equal('hello');
    await clients[2]!.send('env\n');
    expect(await clients[2]!.line()).to.equal('[]');
    await clients[1]!.send('worker\n');
    const worker = JSON.parse(await clients[1]!.line({ within: '10s' })) as string[];
    expect(worker.filter(name => name.startsWith('LISTEN_'))).to.deep.equal([]);
    for (const client of clients) client.end();
    app.child.kill('SIGTERM');
    expect(await app.exit()).to.equal(0);
  });

  it('says which names there are', async () => {
    const app = await left([await server(anyPort)], ['listen', 'systemd:web'], `${HANDED} export LISTEN_FDS=1 LISTEN_FDNAMES=other;`);
    expect(await app.exit()).to.equal(3);
    expect(app.out.text).to.equal("ListenError: cannot listen on systemd:web: no socket has that name: there are 'other'\n");
  });

  it('does not take what was handed to another process, or to none', async () => {
    const other = await left([await server(anyPort)], ['listen', 'systemd:web'], 'export LISTEN_PID=1 LISTEN_FDS=1 LISTEN_FDNAMES=web;');
    const none = heir([], ['listen', 'systemd:web'], MAIN, 'unset LISTEN_FDS;');
    expect(await other.exit()).to.equal(3);
    expect(other.out.text).to.match(/the sockets were handed to process 1, and this is \d+/);
    expect(await none.exit()).to.equal(3);
    expect(none.out.text).to.match(/LISTEN_FDS is not set/);
  });

  it('reads what systemd says, and finds by name, then by number', () => {
    const names = readHanded({ LISTEN_PID: '7', LISTEN_FDS: '3', LISTEN_FDNAMES: 'web::web' }, 7);
    expect(names).to.deep.equal(['web', 'unknown', 'web']);
    expect(readHanded({ LISTEN_PID: '7', LISTEN_FDS: '2' }, 7)).to.deep.equal(['unknown', 'unknown']);
    expect(readHanded({ LISTEN_PID: '7', LISTEN_FDS: 'x' }, 7)).to.match(/LISTEN_FDS is 'x'/);
    expect(descriptorsOf(names as string[], 'web')).to.deep.equal([3, 5]);
    expect(descriptorsOf(names as string[], '1')).to.deep.equal([4]);
    expect(descriptorsOf(['1', 'x'], '1')).to.deep.equal([3]);
    expect(descriptorsOf(names as string[], '3')).to.deep.equal([]);
    expect(descriptorsOf(names as string[], 'mail')).to.deep.equal([]);
  });

  it('checks its url', () => {
    const { check } = schemeNamed('systemd')!;
    expect(check!({ url: 'systemd:', options: {} }, 'listen')).to.match(/it has no name/);
    expect(check!({ url: 'systemd:web', options: {} }, 'listen')).to.equal(undefined);
  });

  it('is started by systemd-socket-activate with the first client', async () => {
    if (!needsProgram('systemd-socket-activate')) return;
    const folder = mkdtempSync(join(tmpdir(), 'packet-'));
    atEnd(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'active.sock');
    const args = ['--fdname=web', '-E', 'PATH', '-l', path, process.execPath, MAIN, 'listen', 'systemd:web'];
    const activated = spawnProgram('systemd-socket-activate', args);
    await activated.errorLine(/Listening on/);
    const client = await tcpClient({ path });
    expect(await client.line({ within: '10s' })).to.equal('hello');
    client.end('bye\n');
    expect(await client.all()).to.equal('BYE\n');
    activated.kill('SIGTERM');
    expect(await activated.exit()).to.deep.equal({ code: 0, signal: null });
    expect(existsSync(path)).to.equal(true);
  });
});
