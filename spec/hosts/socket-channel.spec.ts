import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Host, SocketHandle } from '../../src/hosts/host.js';
import { processHost } from '../../src/hosts/process.js';
import { tcpClient, type TcpClient } from '../kit/index.js';
import { Probe, probeEntry } from '../kit/workers/probe.js';

const channel = new URL('../../src/hosts/socket-channel.js', import.meta.url).href;
/** In the worker: takes sockets, says which came and what they read, echoes. */
const TAKE = `import('${channel}').then(({ openSocketChannel }) => openSocketChannel(process, (id, handle) => {
  const socket = new (require('net').Socket)({ handle, readable: true, writable: true });
  socket.on('data', chunk => socket.write(id + ' ' + chunk));
}))`;

describe('the channel for sockets', function () {
  let host: Host;
  let server: Server;
  const probes: Probe[] = [];

  beforeEach(async () => {
    host = processHost({ entry: probeEntry });
    server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    await Promise.all(probes.splice(0).map(probe => probe.kill()));
    await host.close();
    server.close();
  });

  const start = (takesSockets: boolean): Probe => {
    const probe = new Probe(host, {}, probeEntry.href, takesSockets);
    probes.push(probe);
    return probe;
  };

  const accepted = async (): Promise<{ client: TcpClient; handle: SocketHandle }> => {
    const connection = once(server, 'connection') as Promise<[Socket]>;
    const client = await tcpClient((server.address() as AddressInfo).port);
    const [socket] = await connection;
    const known = socket as unknown as { _handle: SocketHandle | null };
    const handle = known._handle!;
    known._handle = null;
    return { client, handle };
  };

  it('carries a socket to the worker, with its number and the bytes that nobody has read', async () => {
    const probe = start(true);
    expect(await probe.run(TAKE)).to.equal(true);
    for (const id of [1, 2, 3]) {
      const { client, handle } = await accepted();
      await client.send('hello\n');
      probe.process.sockets!.pass(id, handle, () => expect.fail('it did not arrive'));
      expect(await client.line()).to.equal(`${id} hello`);
      probe.process.sockets!.release(handle);
      await client.send('again\n');
      expect(await client.line()).to.equal(`${id} again`);
      await client.destroy();
    }
  });

  it('is there for those who take sockets only, and makes no worker a forked child', async () => {
    const [with_, without] = [start(true), start(false)];
    expect(without.process.sockets).to.equal(undefined);
    expect(await without.run('process.channel === undefined && process.send === undefined')).to.equal(true);
    await with_.run(TAKE);
    expect(await with_.run('typeof process.send')).to.equal('undefined');
  });

  it('lets nothing back: neither garbage, nor words that mean something to Node, nor floods, nor descriptors', async () => {
    const probe = start(true);
    const send = `process.send({ cmd: 'NODE_HANDLE_ACK' }), process.send('x', require('net').createServer().listen(0))`;
    expect(await probe.run(`typeof process.send === 'function' && (${send}, true)`)).to.equal(true);
    const write = `(() => { try { for (;;) require('fs').writeSync(5, '{]'.repeat(1000) + '\\n') } catch (error) { return error.code } })()`;
    // Nobody reads: at some point the kernel takes no more.
    expect(await probe.run(write)).to.equal('EAGAIN');
    await probe.run(TAKE);
    const { client, handle } = await accepted();
    await client.send('still\n');
    probe.process.sockets!.pass(7, handle, () => expect.fail('it did not arrive'));
    expect(await client.line()).to.equal('7 still');
    probe.process.sockets!.release(handle);
    await client.destroy();
  });

  it('says so when the worker is gone', async () => {
    const probe = start(true);
    await probe.run('1');
    await probe.kill();
    const { client, handle } = await accepted();
    await new Promise<void>(resolve => probe.process.sockets!.pass(1, handle, resolve));
    handle.close();
    expect(await client.all()).to.equal('');
  });
});
