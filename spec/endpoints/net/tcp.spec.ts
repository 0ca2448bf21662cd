import { expect } from 'chai';
import type { Socket } from 'node:net';
import '../../../src/endpoints/index.js';
import { schemeNamed, type Scheme, type Transport } from '../../../src/endpoints/endpoint.js';
import { hostAndPort, tcpUrlOf } from '../../../src/endpoints/net/tcp.js';
import { deferred } from '../../kit/signals.js';
import { WireClient } from '../../kit/clients/wire-client.js';

describe('tcp:', () => {
  const tcp = schemeNamed('tcp') as Required<Scheme>;
  const check = (url: string, use: 'listen' | 'connect' = 'listen'): string | undefined => tcp.check({ url, options: {} }, use);

  it('an empty host is the loopback; all interfaces must be written', () => {
    expect(hostAndPort('tcp://:7000')).to.deep.equal({ host: '127.0.0.1', port: 7000 });
    expect(hostAndPort('tcp://0.0.0.0:0')).to.deep.equal({ host: '0.0.0.0', port: 0 });
    expect(hostAndPort('tcp://[::1]:0')).to.deep.equal({ host: '::1', port: 0 });
    expect(hostAndPort('tcp://host.example:80')).to.deep.equal({ host: 'host.example', port: 80 });
  });

  it('writes IPv6 addresses in brackets', () => {
    expect(tcpUrlOf('tcp', '::1', 7)).to.equal('tcp://[::1]:7');
    expect(tcpUrlOf('tcp', '127.0.0.1', 7)).to.equal('tcp://127.0.0.1:7');
  });

  it('checks its url without touching the system', () => {
    for (const url of [
      'tcp://host',
      'tcp://host:port',
      'tcp://host:70000',
      'tcp://a:b:1',
      'tcp:host:1',
      'tcp://::1:80',
      'tcp://h:1/path',
    ]) {
      expect(check(url), url).to.be.a('string');
    }
    expect(check('tcp://127.0.0.1:0')).to.equal(undefined);
    expect(check('tcp://127.0.0.1:0', 'connect')).to.match(/port 0/);
  });

  it('picks a port for 0 and says which, with the addresses of both sides', async () => {
    const arrived = deferred<Transport>();
    const bound = await tcp.listen({ url: 'tcp://127.0.0.1:0', options: {} }, { accept: arrived.resolve, failed: arrived.reject });
    expect(bound.address.port).to.be.greaterThan(0);
    const client = await WireClient.connect(bound.address.url);
    const server = await arrived.promise;
    expect(server.remote).to.deep.equal(client.transport.local);
    expect(server.remote).to.include({ address: '127.0.0.1', port: (client.transport.raw as Socket).localPort });
    client.destroy();
    server.destroy();
    await bound.close();
  });

  it('listens on IPv6', async () => {
    const bound = await tcp.listen({ url: 'tcp://[::1]:0', options: {} }, { accept: transport => transport.destroy(), failed: () => {} });
    expect(bound.address.url).to.match(/^tcp:\/\/\[::1\]:\d+$/);
    const client = await WireClient.connect(bound.address.url);
    await client.readsAll();
    client.destroy();
    await bound.close();
  });

  it('knows the peer’s address even when it has reset the connection before it is taken over', async () => {
    const arrived = deferred<Transport>();
    const bound = await tcp.listen({ url: 'tcp://127.0.0.1:0', options: {} }, { accept: arrived.resolve, failed: arrived.reject });
    const client = await WireClient.connect(bound.address.url);
    const { local } = client.transport;
    const server = await arrived.promise;
    const gone = deferred<Error | undefined>();
    (client.transport.raw as Socket).resetAndDestroy();
    server.open({ data: () => {}, ended: () => {}, drained: () => {}, closed: gone.resolve });
    expect(await gone.promise).to.include({ code: 'ECONNRESET' });
    expect(server.remote).to.deep.equal(local);
    await bound.close();
  });

  it('tells why it cannot listen', async () => {
    const listening = tcp.listen({ url: 'tcp://192.0.2.1:0', options: {} }, { accept: () => {}, failed: () => {} });
    const error = await listening.then(
      () => new Error('it listens'),
      (thrown: Error) => thrown,
    );
    expect(error.message).to.equal('cannot listen on tcp://192.0.2.1:0: this machine has no such address (EADDRNOTAVAIL)');
  });

  it('tells a name that does not exist from a port where nobody listens', async () => {
    const { signal } = new AbortController();
    const error = await tcp.connect({ url: 'tcp://does-not-exist.invalid:80', options: {} }, signal).catch((thrown: Error) => thrown);
    expect(error).to.include({ name: 'ConnectError', reason: 'unresolvable' });
  });

  it('gives up when its signal is aborted', async () => {
    const controller = new AbortController();
    const dialling = tcp.connect({ url: 'tcp://127.0.0.1:9', options: {} }, controller.signal).catch((thrown: Error) => thrown);
    controller.abort(new Error('enough'));
    const error = await dialling;
    expect(error).to.include({ name: 'ConnectError', reason: 'aborted' });
    expect((error as Error).cause).to.have.property('message', 'enough');
  });
});
