import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import { Connection } from '../../src/decorators/connection/connection.js';
import { OnClose, OnConnect, OnData } from '../../src/decorators/connection/connection-hooks.js';
import type { CloseReason } from '../../src/decorators/hook-types.js';
import { lines } from '../../src/framing/lines.js';
import { Peer } from '../../src/reactor/index.js';
import '../../src/websocket/index.js';
import { OnRequest } from '../../src/http/index.js';
import { FakeClock } from '../../src/testing/fake-clock.js';
import { Events } from '../kit/events.js';
import { atEnd, webClient } from '../kit/index.js';
import { rig, type Rig } from '../kit/reactor.js';
import { Journal, turns } from '../kit/signals.js';
import { WireClient } from '../kit/clients/wire-client.js';

const closings = new Journal();

@Connection({ framing: lines() })
class Echo {
  constructor(readonly peer: Peer) {}
  @OnConnect() welcome() {
    return 'welcome';
  }
  @OnData() data(line: string) {
    return line;
  }
  @OnClose() closed({ by, code }: CloseReason) {
    closings.note(`${by} ${code}`);
  }
}

describe('limits that are changed while a listener runs', () => {
  let kit: Rig;
  let clock: FakeClock;
  beforeEach(() => {
    kit = rig((clock = new FakeClock()));
    closings.entries.length = 0;
  });
  afterEach(() => kit.close());

  const welcomed = async (url: string): Promise<WireClient> => {
    const client = await WireClient.connect(url);
    await client.reads('welcome');
    return client;
  };
  const refusal = async (url: string): Promise<string> => {
    const error = await WireClient.connect(url).catch((thrown: Error) => thrown);
    return error instanceof WireClient ? 'connected' : error.name;
  };

  it('maxConnections: raised while it is full and paused, it listens again at once', async () => {
    const listening = await kit.listen(Echo, 'memory:live', { maxConnections: 1, whenFull: 'pause' });
    await welcomed(listening.address.url);
    await turns();
    expect(await refusal(listening.address.url)).to.equal('ConnectError');
    listening.limits.maxConnections = 2;
    await turns();
    await welcomed(listening.address.url);
    await turns();
    expect(await refusal(listening.address.url)).to.equal('ConnectError');
  });

  it('maxConnections: lowered below what is open, nobody is closed and nobody let in', async () => {
    using rejected = new Events('listener.reject');
    const { address, limits } = await kit.listen(Echo, 'memory:live');
    const clients = [await welcomed(address.url), await welcomed(address.url)];
    limits.maxConnections = 1;
    const late = await WireClient.connect(address.url);
    await late.readsAll();
    expect([late.text, rejected.seen[0]!['reason']]).to.deep.equal(['', 'maxConnections']);
    for (const client of clients) {
      client.send('here\n');
      await client.reads('here');
    }
  });

  it('whenFull: a paused listener that is to reject listens again, to do so', async () => {
    using rejected = new Events('listener.reject');
    const { address, limits } = await kit.listen(Echo, 'memory:live', { maxConnections: 1, whenFull: 'pause' });
    await welcomed(address.url);
    await turns();
    limits.whenFull = 'reject';
    await turns();
    const late = await WireClient.connect(address.url);
    await late.readsAll();
    expect(rejected.seen).to.have.length(1);
  });

  it('messageTimeout, halfCloseGrace and idleTimeout: for what begins from then on', async () => {
    const { address, limits } = await kit.listen(Echo, 'memory:live');
    const client = await welcomed(address.url);
    limits.messageTimeout = 1_000;
    client.send('begun');
    await turns();
    await clock.advance('1s');
    expect(closings.entries).to.deep.equal(['timeout messageTimeout']);

    limits.idleTimeout = 2_000;
    await welcomed(address.url);
    await clock.advance('2s');
    expect(closings.entries).to.deep.equal(['timeout messageTimeout', 'timeout idleTimeout']);
  });

  it('maxBufferedBytes: at the next message that is sent', async () => {
    const { address, limits } = await kit.listen(Echo, 'memory:live');
    const client = await welcomed(address.url);
    client.transport.pause();
    const { peer } = kit.made[0] as Echo;
    peer.send('x'.repeat(500_000));
    await turns();
    expect(closings.entries).to.deep.equal([]);
    limits.maxBufferedBytes = 100_000;
    peer.send('x'.repeat(100_000));
    await closings.has('limit maxBufferedBytes');
  });

  it('maxMessageSize of http and ws: for what comes from then on', async () => {
    @Connection({ maxMessageSize: 10 })
    class Length {
      @OnRequest() async answer(request: Request) {
        return new Response(String((await request.text()).length));
      }
    }
    @Connection({ maxMessageSize: 10 })
    class Size {
      @OnData() size(bytes: Buffer) {
        return String(bytes.length);
      }
    }
    const real = rig();
    atEnd(() => real.close());
    const web = await real.listen(Length, 'http://127.0.0.1:0');
    const status = async (): Promise<number> => (await fetch(web.address.url, { method: 'POST', body: 'x'.repeat(20) })).status;
    expect(await status()).to.equal(413);
    web.limits.maxMessageSize = 20;
    expect(await status()).to.equal(200);
    web.limits.maxMessageSize = 19;
    expect(await status()).to.equal(413);
    const socket = await real.listen(Size, 'ws://127.0.0.1:0/socket');
    const before = await webClient(socket.address.url);
    socket.limits.maxMessageSize = 20;
    before.send('x'.repeat(20));
    expect((await before.closed).code).to.equal(1009);
    const after = await webClient(socket.address.url);
    after.send('x'.repeat(20));
    expect(await after.next()).to.deep.equal('20');
  });

  it('maxPerPeer counts those who came while it was off', async () => {
    using rejected = new Events('listener.reject');
    const { address, limits } = await kit.listen(Echo, 'tcp://127.0.0.1:0');
    const first = await welcomed(address.url);
    limits.maxPerPeer = 1;
    const second = await WireClient.connect(address.url);
    await second.readsAll();
    expect(rejected.seen[0]!['reason']).to.equal('maxPerPeer');
    for (const client of [first, second]) client.end();
  });
});

describe('a paused listener whose address is taken meanwhile', () => {
  it('tells of it, and listens as soon as it can', async () => {
    const clock = new FakeClock();
    const kit = rig(clock);
    const { address } = await kit.listen(Echo, 'tcp://127.0.0.1:0', { maxConnections: 1, whenFull: 'pause' });
    const first = await WireClient.connect(address.url);
    await first.reads('welcome');
    let thief: Server | undefined;
    while (!thief) {
      const server = createServer();
      const listens = once(server, 'listening');
      server.listen(address.port, '127.0.0.1');
      thief = await listens.then(
        () => server,
        () => undefined,
      );
    }
    using failed = new Events('listener.error');
    const told = failed.next();
    first.destroy();
    expect((await told)['error']).to.have.property('name', 'ListenError');
    using opened = new Events('listener.open');
    thief.close();
    await once(thief, 'close');
    const open = opened.next();
    await clock.advance('1s');
    await open;
    const second = await WireClient.connect(address.url);
    await second.reads('welcome');
    second.destroy();
    await kit.close();
  });
});
