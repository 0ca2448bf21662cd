import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { OnClose, OnConnect, OnData } from '../../../src/decorators/connection/connection-hooks.js';
import type { CloseReason } from '../../../src/decorators/hook-types.js';
import { lines } from '../../../src/framing/lines.js';
import { Peer, Reactor } from '../../../src/reactor/index.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { deferred, Journal, turns } from '../../kit/signals.js';
import { WireClient } from '../../kit/clients/wire-client.js';

let upstreamUrl: 'memory:x';
let journal: Journal;

/** A side that is only piped. */
@Connection()
class Side {
  constructor(readonly peer: Peer) {}
  @OnClose() closed({ by, code }: CloseReason) {
    journal.note(`side ${by} ${code}`);
  }
}

@Connection()
class Proxy {
  constructor(
    readonly peer: Peer,
    private readonly reactor: Reactor,
  ) {}
  @OnConnect() async connect() {
    const upstream = await this.reactor.connect(Side, upstreamUrl);
    void this.peer.pipe(upstream.peer).then(
      bytes => journal.note(`up ${bytes}`),
      (error: Error) => journal.note(`up ${error.name}`),
    );
    void upstream.peer.pipe(this.peer).then(
      bytes => journal.note(`down ${bytes}`),
      (error: Error) => journal.note(`down ${error.name}`),
    );
  }
  @OnClose() closed({ by, code }: CloseReason) {
    journal.note(`proxy ${by} ${code}`);
  }
}

@Connection()
class Echo {
  constructor(readonly peer: Peer) {}
  @OnData() data(bytes: Buffer) {
    return bytes;
  }
}

describe('pipe', () => {
  let kit: Rig;
  let clock: FakeClock;
  beforeEach(() => {
    kit = rig((clock = new FakeClock()));
    journal = new Journal();
  });
  afterEach(() => kit.close());
  const proxied = async (where?: 'tcp://127.0.0.1:0'): Promise<WireClient> => {
    upstreamUrl = (await kit.listen(Echo, where)).address.url as 'memory:x';
    return WireClient.connect((await kit.listen(Proxy, where)).address.url);
  };
  const madeOf = <T>(cls: new (...args: never[]) => T): T => kit.made.findLast(each => each instanceof cls) as T;

  for (const where of [undefined, 'tcp://127.0.0.1:0'] as const) {
    it(`carries bytes both ways unchanged, and half-closes like a wire (${where ? 'tcp' : 'memory'})`, async () => {
      const client = await proxied(where);
      const bytes = randomBytes(2_000_000);
      for (let at = 0; at < bytes.length; at += 50_000) {
        if (!client.send(bytes.subarray(at, at + 50_000))) await client.whenDrained();
      }
      client.end();
      await client.readsAll();
      expect(client.bytes.equals(bytes)).to.equal(true);
      await journal.has('proxy peer END');
      await journal.has('side peer END');
      expect(journal.entries).to.include.members(['up 2000000', 'down 2000000']);
    });
  }

  it('begins with what was received and not yet handled', async () => {
    const gate = deferred();
    @Connection({ framing: lines() })
    class Switches {
      constructor(
        private readonly peer: Peer,
        private readonly reactor: Reactor,
      ) {}
      @OnData() async data(line: string) {
        journal.note(line);
        const upstream = await this.reactor.connect(Side, upstreamUrl);
        await gate.promise;
        void this.peer.pipe(upstream.peer);
        void upstream.peer.pipe(this.peer);
      }
    }
    upstreamUrl = (await kit.listen(Echo)).address.url as 'memory:x';
    const client = await WireClient.connect((await kit.listen(Switches)).address.url);
    client.send('CONNECT\nfirst\nsec');
    await turns();
    client.send('ond');
    await turns();
    gate.resolve();
    await client.reads('first\nsecond');
    client.send(' third');
    await client.reads('first\nsecond third');
    expect(journal.entries).to.deep.equal(['CONNECT']);
  });

  it('stops at its limit; what follows is handled as messages again', async () => {
    @Connection({ framing: lines() })
    class Upload {
      constructor(
        private readonly peer: Peer,
        private readonly reactor: Reactor,
      ) {}
      @OnData() async data(line: string) {
        if (!line.startsWith('PUT')) return `line ${line}`;
        const store = await this.reactor.connect(Side, upstreamUrl);
        const bytes = await this.peer.pipe(store.peer, { limit: Number(line.slice(4)) });
        return `stored ${bytes}`;
      }
    }
    upstreamUrl = (await kit.listen(Echo)).address.url as 'memory:x';
    const client = await WireClient.connect((await kit.listen(Upload)).address.url);
    client.send('PUT 5\nab');
    await turns();
    client.send('cdeafter\n');
    await client.reads('stored 5\nline after\n');
    await turns();
    expect(madeOf(Echo).peer.bytesRead).to.equal(5);
    client.send('PUT 0\nmore\n');
    await client.reads('stored 5\nline after\nstored 0\nline more\n');
  });

  it('with end: false, leaves the target open', async () => {
    upstreamUrl = (await kit.listen(Echo)).address.url as 'memory:x';
    const source = await WireClient.connect((await kit.listen(Side)).address.url);
    await turns();
    const { peer } = madeOf(Side);
    const target = await kit.reactor.connect(Side, upstreamUrl);
    const piping = peer.pipe(target.peer, { end: false });
    source.send('all');
    source.end();
    expect(await piping).to.equal(3);
    expect(target.peer.send('more')).to.equal(true);
    await turns();
    expect(madeOf(Echo).peer.bytesRead).to.equal(7);
  });

  it('keeps back-pressure: a target that does not read stops the source', async () => {
    const client = await proxied();
    await turns();
    const echo = madeOf(Echo);
    echo.peer.pause();
    while (client.transport.bufferedBytes === 0) {
      client.send('x'.repeat(100_000));
      await turns(1);
    }
    await turns(20);
    const proxy = madeOf(Proxy);
    const stopped = proxy.peer.bytesRead;
    await turns(20);
    expect(proxy.peer.bytesRead).to.equal(stopped);
    expect(madeOf(Side).peer.bufferedBytes).to.be.lessThan(400_000);
    const { bytesWritten, bufferedBytes } = client.transport;
    echo.peer.resume();
    await client.when(() => client.length === bytesWritten + bufferedBytes);
  });

  it('rejects when the target is gone, and the source goes on', async () => {
    const client = await proxied();
    await turns();
    madeOf(Echo).peer.destroy();
    await journal.has('up ConnectionClosedError');
    await journal.has('down ConnectionClosedError');
    expect(client.isClosed).to.equal(false);
  });

  it('rejects when the source is gone', async () => {
    const client = await proxied();
    await turns();
    client.destroy();
    await journal.has('up ConnectionClosedError');
    await journal.has('down ConnectionClosedError');
  });

  it('cannot be piped twice, nor to what is closed', async () => {
    const client = await proxied();
    await turns();
    const [proxy, side] = [madeOf(Proxy), madeOf(Side)];
    const refusal = (attempt: Promise<unknown>): Promise<string> =>
      attempt.then(
        () => 'piped',
        (error: Error) => error.name,
      );
    expect(await refusal(proxy.peer.pipe(side.peer))).to.equal('UsageError');
    client.destroy();
    await turns();
    expect(await refusal(side.peer.pipe(proxy.peer))).to.equal('ConnectionClosedError');
  });

  it('while piped a connection is half-open: halfCloseGrace and the clocks of silence stand still', async () => {
    @Connection({ idleTimeout: '10s', halfCloseGrace: '5s' })
    class Patient extends Proxy {}
    upstreamUrl = (await kit.listen(Echo)).address.url as 'memory:x';
    const client = await WireClient.connect((await kit.listen(Patient)).address.url);
    await turns();
    await clock.advance('1h');
    madeOf(Echo).peer.pause();
    client.send('late');
    client.end();
    await turns();
    await clock.advance('1h');
    expect(client.hasEnded).to.equal(false);
    madeOf(Echo).peer.resume();
    expect(await client.readsAll()).to.equal('late');
    await journal.has('proxy peer END');
  });

  it('a class without @OnData is not read beyond the high mark until it is piped', async () => {
    const client = await WireClient.connect((await kit.listen(Side)).address.url);
    for (let i = 0; i < 30; i++) client.send('x'.repeat(10_000));
    await turns(20);
    const { peer } = madeOf(Side);
    expect(peer.bytesRead).to.be.within(64 * 1024, 200_000);
    @Connection()
    class Sink {
      @OnData() data() {}
    }
    const upstream = await kit.reactor.connect(Side, (await kit.listen(Sink)).address.url as 'memory:x');
    client.end();
    expect(await peer.pipe(upstream.peer)).to.equal(300_000);
  });
});
