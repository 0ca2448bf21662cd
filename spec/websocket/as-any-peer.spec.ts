import { expect } from 'chai';
import '../../src/websocket/index.js';
import { Connection, OnClose, OnConnect, OnData, OnDrain, OnIdle, Peer, Reactor, UsageError, type CloseReason } from '../../src/index.js';
import { json, lines, raw } from '../../src/framing/index.js';
import { soon, tcpClient, waitFor, webClient } from '../kit/index.js';
import { rig, type Rig } from '../kit/reactor.js';
import { deferred } from '../kit/signals.js';

const HERE = 'ws://127.0.0.1:0';

describe('a websocket peer, as any other', () => {
  let r: Rig;
  beforeEach(() => (r = rig()));
  afterEach(() => r.close());

  it('is piped to and from a connection of bytes', async () => {
    @Connection({ framing: lines() })
    class Upstream {
      @OnData() answer(line: string) {
        return line.toUpperCase();
      }
    }
    const upstream = (await r.listen(Upstream, 'tcp://127.0.0.1:0')).address.url as 'tcp://x';
    @Connection()
    class Out {
      constructor(readonly peer: Peer) {}
    }
    const counts = deferred<number[]>();
    @Connection({ allowHalfOpen: true })
    class Bridge {
      constructor(
        private readonly peer: Peer,
        private readonly reactor: Reactor,
      ) {}
      @OnConnect() async connected() {
        const { peer } = await this.reactor.connect(Out, upstream);
        Promise.all([this.peer.pipe(peer), peer.pipe(this.peer)]).then(counts.resolve, counts.reject);
      }
    }
    const client = await webClient((await r.listen(Bridge, HERE)).address.url);
    client.send('one\ntw');
    client.send('o\n');
    await waitFor(() => Buffer.concat(client.messages as Buffer[]).toString() === 'ONE\nTWO\n');
    client.socket.close();
    await client.closed;
    expect(await soon(counts.promise)).to.deep.equal([8, 8]);
  });

  it('changes its framing between two messages', async () => {
    @Connection({ framing: lines() })
    class Changes {
      constructor(private readonly peer: Peer) {}
      @OnData() data(message: unknown) {
        if (message !== 'json') return message;
        this.peer.setFraming(json());
        // The answer still belongs to the message before.
        return 'changed';
      }
    }
    const client = await webClient((await r.listen(Changes, HERE)).address.url);
    for (const message of ['text', 'json', '[1]']) client.send(message);
    expect([await client.next(), await client.next(), await client.next()]).to.deep.equal(['text', 'changed', '[1]']);
  });

  it('is broadcast to, each message by itself', async () => {
    @Connection({ framing: lines() })
    class All {
      constructor(private readonly reactor: Reactor) {}
      @OnData() say(line: string) {
        this.reactor.broadcast(All, line);
        this.reactor.broadcast(All, '');
      }
    }
    const { url } = (await r.listen(All, HERE)).address;
    const [ann, bob] = [await webClient(url), await webClient(url)];
    ann.send('hi');
    for (const client of [ann, bob]) expect([await client.next(), await client.next()]).to.deep.equal(['hi', '']);
  });

  it('is idle, congested and drained, and keeps its answers in order', async () => {
    const told: string[] = [];
    @Connection({ framing: raw(), idleTimeout: 40, concurrency: 4, highWaterMark: '32kb' })
    class Busy {
      constructor(private readonly peer: Peer) {}
      @OnIdle() idle() {
        told.push('idle');
      }
      @OnDrain() drained() {
        told.push('drained');
      }
      @OnData() async answer(message: Buffer) {
        for (let i = message[0]!; i > 0; i--) await new Promise(resolve => setImmediate(resolve));
        if (message[0] === 0) for (let i = 0; i < 100; i++) this.peer.send(Buffer.alloc(60_000));
        return message;
      }
    }
    const client = await webClient((await r.listen(Busy, HERE)).address.url);
    await waitFor(() => told.includes('idle'));
    for (const n of [9, 5, 1]) client.send(Buffer.from([n]));
    expect([await client.next(), await client.next(), await client.next()]).to.deep.equal([9, 5, 1].map(n => Buffer.from([n])));
    client.socket.pause();
    client.send(Buffer.from([0]));
    await waitFor(() => r.core.count() === 1 && client.messages.length === 3);
    client.socket.resume();
    await waitFor(() => client.messages.length === 104 && told.includes('drained'));
  });

  it('closes a peer that sends more messages than rateLimit allows', async () => {
    const reasons: CloseReason[] = [];
    @Connection({ framing: lines(), rateLimit: { messages: 3, per: '1m', beyond: 'close' } })
    class Limited {
      @OnData() data() {}
      @OnClose() over(reason: CloseReason) {
        reasons.push(reason);
      }
    }
    const client = await webClient((await r.listen(Limited, HERE)).address.url);
    for (let i = 0; i < 4; i++) client.send('x');
    expect(await waitFor(() => reasons[0])).to.include({ by: 'limit', code: 'rateLimit' });
    await client.closed;
  });

  it('is dropped when it does not close after us, within halfCloseGrace', async () => {
    const reasons: CloseReason[] = [];
    @Connection({ halfCloseGrace: 50 })
    class Leaves {
      constructor(private readonly peer: Peer) {}
      @OnData() data() {
        this.peer.end();
      }
      @OnClose() over(reason: CloseReason) {
        reasons.push(reason);
      }
    }
    const { port } = (await r.listen(Leaves, HERE)).address;
    const client = await tcpClient(port);
    await client.send(
      'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await client.inbox.lineLike(/^$/);
    await client.send(Buffer.from([0x81, 0x80, 0, 0, 0, 0]));
    expect((await client.bytes(4)).toString('hex')).to.equal('880203e8');
    expect(await waitFor(() => reasons[0])).to.include({ by: 'local', code: 'END' });
  });

  it('takes no file and no TLS: that is said at once', async () => {
    const peers: Peer[] = [];
    @Connection()
    class Kept {
      constructor(peer: Peer) {
        peers.push(peer);
      }
    }
    await webClient((await r.listen(Kept, HERE)).address.url);
    for (const attempt of [() => peers[0]!.sendFile('/etc/hostname'), () => peers[0]!.startTls()]) {
      expect(await attempt().then(String, (error: unknown) => error)).to.be.instanceOf(UsageError);
    }
  });
});
