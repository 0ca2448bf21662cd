import { expect } from 'chai';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { bootstrap, ConfigurationError, ListenError, Module, Worker, type App } from 'packet-ts';
import { createTestApp } from 'packet-ts/testing';
import { EdgeConnection, EdgeHelper } from '../../fixtures/connections/edge.worker.js';
import { LimitedConnection, LimitedEdgeWorker, PausingConnection } from '../../fixtures/connections/limited-edge.worker.js';
import type { Ctor } from '../../../src/decorators/ctor.js';
import { atEnd, tcpClient, waitFor, type TcpClient } from '../../kit/index.js';
import { ask, DealtModule, SharedModule, start } from './edge-app.js';

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail('it was to fail'),
    (error: Error) => error,
  );
}

const connect = (app: App, cls: Ctor = EdgeConnection): Promise<TcpClient> => tcpClient(app.address(cls).port);

describe('the life of connections inside workers', function () {
  it('closing says goodbye on each connection, with an answer of another worker, and finishes what runs', async () => {
    const app = await start(DealtModule);
    const clients = await Promise.all([1, 2, 3].map(() => connect(app)));
    expect(await Promise.all(clients.map(client => ask(client, 'shout hi')))).to.deep.equal(['HI', 'HI', 'HI']);
    await clients[0]!.send('shout slowly\n');
    await clients[1]!.send('wait 300\n');
    // What is handled when the end begins is answered; to see it begin is enough.
    await ask(clients[2]!, 'wait 50');
    const closing = app.close({ timeout: '10s' });
    const said = await Promise.all(
      clients.map(async client => {
        const all = await client.all({ within: '5s' });
        client.end();
        return all.trimEnd().split('\n').sort();
      }),
    );
    // What is being handled and the goodbye do not wait for each other.
    expect(said).to.deep.equal([['CLOSING', 'SLOWLY'], ['CLOSING', 'waited'], ['CLOSING']]);
    expect(await closing).to.deep.equal({ graceful: true, connections: 0, calls: 0, workers: 0 });
  });

  for (const [mode, module] of [
    ['master', DealtModule],
    ['shared', SharedModule],
  ] as const) {
    describe(`accept: '${mode}'`, () => {
      it('an address in use is a ListenError, and nothing is left running', async () => {
        const taken = createServer().listen(0, '127.0.0.1');
        await once(taken, 'listening');
        atEnd(() => void taken.close());
        const url = `tcp://127.0.0.1:${(taken.address() as AddressInfo).port}` as const;
        const error = await failure(bootstrap(module, { logger: false, signals: false, listen: new Map([[EdgeConnection, url]]) }));
        expect(error).to.be.instanceOf(ListenError);
        expect(error.message).to.include('in use');
      });
    });
  }

  it('limits count over all processes', async () => {
    @Module({ workers: [LimitedEdgeWorker] })
    class Limited {}
    const app = await start(Limited);
    const inside = await Promise.all([1, 2, 3].map(() => connect(app, LimitedConnection)));
    await Promise.all(inside.map(client => ask(client, 'pid')));
    const outside = await connect(app, LimitedConnection);
    expect(await outside.all()).to.equal('');
    await inside[0]!.destroy();
    const next = await waitFor(async () => {
      const client = await connect(app, LimitedConnection);
      await client.send('pid\n');
      return client.line({ within: '1s' });
    });
    expect(next).to.match(/^\d+$/);
  });

  it('inline the same classes serve in the master, handed to by the same rules', async () => {
    const app = await createTestApp(DealtModule).start();
    atEnd(() => app.close());
    const client = await app.connect(EdgeConnection);
    client.send('pid');
    await client.expect(String(process.pid));
    client.send('shout inline');
    await client.expect('INLINE');
    const closing = app.close();
    await client.expect('CLOSING');
    expect(await closing).to.include({ graceful: true });
  });

  it('what cannot be shared is a boot error', async () => {
    @Worker('nobody_accepts', { accept: 'shared', minWorkers: 0, connections: [EdgeConnection] })
    class Nobody {}
    @Worker('pauses_alone', { accept: 'shared', connections: [PausingConnection] })
    class Alone {}
    @Module({ workers: [Nobody, Alone, EdgeHelper] })
    class Wrong {}
    const error = await failure(bootstrap(Wrong, { logger: false, signals: false }));
    expect(error).to.be.instanceOf(ConfigurationError);
    expect(error.message).to.include('no process would accept the first connection').and.to.include('the others accept on');
  });
});
