import { randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import { expect } from 'chai';
import '../../src/websocket/index.js';
import { Connection, OnClose, OnConnect, OnData, OnError, Peer, type About, type CloseReason } from '../../src/index.js';
import { json, lengthPrefixed, lines } from '../../src/framing/index.js';
import { Authority } from '../kit/programs/certificates.js';
import { streamConformance } from '../kit/conformance/endpoint-conformance.js';
import { atEnd, needsProgram, soon, waitFor, webClient } from '../kit/index.js';
import { rig, type Rig } from '../kit/reactor.js';

describe('websocket', () => {
  let r: Rig;
  beforeEach(() => (r = rig()));
  afterEach(() => r.close());

  const url = 'ws://127.0.0.1:0/here';

  it('brings messages to the handler and its answers back: strings are text, bytes binary', async () => {
    @Connection()
    class Echo {
      @OnConnect() greet() {
        return 'hello';
      }
      @OnData() echo(message: Buffer) {
        return message.toString() === 'text' ? 'as text' : message;
      }
    }
    const { address } = await r.listen(Echo, url);
    expect(address).to.include({ host: '127.0.0.1', path: '/here', url: `ws://127.0.0.1:${address.port}/here` });
    const client = await webClient(address.url);
    expect(await client.next()).to.equal('hello');
    client.send('text');
    expect(await client.next()).to.equal('as text');
    client.send('more text');
    expect(await client.next()).to.deep.equal(Buffer.from('more text'));
    client.send(Buffer.from([0, 1, 255]));
    expect(await client.next()).to.deep.equal(Buffer.from([0, 1, 255]));
    client.send('');
    expect(await client.next()).to.deep.equal(Buffer.alloc(0));
  });

  it('leaves delimiters off: each message holds whole messages of the framing, text as text', async () => {
    @Connection({ framing: lines() })
    class Shout {
      @OnData() shout(line: string) {
        return line.toUpperCase();
      }
    }
    @Connection({ framing: json<{ n: number }>() })
    class Twice {
      @OnData() twice({ n }: { n: number }) {
        return { n: n * 2 };
      }
    }
    const shout = await webClient((await r.listen(Shout, url)).address.url);
    shout.send('one');
    shout.send('two\nthree');
    expect([await shout.next(), await shout.next(), await shout.next()]).to.deep.equal(['ONE', 'TWO', 'THREE']);
    const twice = await webClient((await r.listen(Twice, 'ws://127.0.0.1:0/twice')).address.url);
    twice.send('{"n":21}');
    expect(await twice.next()).to.equal('{"n":42}');
  });

  describe('answers messages that came together', () => {
    /** The sizes of what a server writes that answers these in one piece. */
    async function writesOf(messages: readonly string[], took = 0): Promise<number[]> {
      @Connection({ framing: lines() })
      class Echo {
        @OnData() echo(line: string) {
          for (const until = performance.now() + took; performance.now() < until;);
          return `re: ${line}`;
        }
      }
      const { address } = await r.listen(Echo, url);
      const client = await webClient(address.url);
      client.send('first');
      expect(await client.next()).to.equal('re: first');
      const beneath = (client.socket as unknown as { _socket: Socket })._socket;
      const { write } = Socket.prototype;
      const sizes: number[] = [];
      atEnd(() => (Socket.prototype.write = write));
      Socket.prototype.write = function (this: Socket, ...said: Parameters<Socket['write']>) {
        if (this.remotePort === beneath.localPort) sizes.push((said[0] as Buffer).length);
        return write.apply(this, said);
      } as Socket['write'];
      beneath.cork();
      for (const message of messages) client.send(message);
      beneath.uncork();
      for (const message of messages) expect(await client.next()).to.equal(`re: ${message}`);
      return sizes;
    }
    const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `${100 + i}`);

    it('in few writes, in order, and the first ones before all are read', async () => {
      const sizes = await writesOf(numbers(100));
      expect(sizes.reduce((sum, size) => sum + size)).to.equal(100 * 9);
      expect(sizes[0]).to.be.at.most(32 * 9);
      // At least eight a write, and mostly 32: that depends on who else wants the processor.
      expect(sizes.length).to.be.within(2, 13);
    });

    it('earlier where the handler takes its time', async () => {
      const sizes = await writesOf(numbers(20), 2);
      expect(sizes.reduce((sum, size) => sum + size)).to.equal(20 * 9);
      // Fewer where others want the processor.
      expect(Math.max(...sizes)).to.be.at.most(8 * 9);
    });
  });

  it('with stream: true, messages are one stream of bytes, however they are cut', async () => {
    @Connection({ framing: lengthPrefixed({ bytes: 2 }), stream: true })
    class Echo {
      @OnData() echo(message: Buffer) {
        return message;
      }
    }
    const client = await webClient((await r.listen(Echo, url)).address.url);
    for (const piece of [[0], [3, 1, 2], [3, 0, 1, 9, 0], [0]]) client.send(Buffer.from(piece));
    await waitFor(() => Buffer.concat(client.messages as Buffer[]).length === 10);
    expect(Buffer.concat(client.messages as Buffer[])).to.deep.equal(Buffer.from([0, 3, 1, 2, 3, 0, 1, 9, 0, 0]));
  });

  it('shows the request, the subprotocol that was agreed on, and where both are', async () => {
    const peers: Peer[] = [];
    @Connection({ protocols: ['v2', 'v1'] })
    class Seen {
      constructor(peer: Peer) {
        peers.push(peer);
      }
    }
    const { address } = await r.listen(Seen, url);
    const client = await webClient(`${address.url}?room=1`, ['v0', 'v1', 'v2'], { headers: { 'X-Who': 'ann' } });
    expect(client.socket.protocol).to.equal('v2');
    const [{ request, remote, local, tls }] = peers as [Peer];
    expect(request!.url).to.equal(`ws://127.0.0.1:${address.port}/here?room=1`);
    expect(request!.headers.get('x-who')).to.equal('ann');
    expect(request!.protocol).to.equal('v2');
    expect(remote.address).to.equal('127.0.0.1');
    expect(local).to.include({ url: address.url, port: address.port });
    expect(tls).to.equal(undefined);
    expect((await webClient(address.url)).socket.protocol).to.equal('');
  });

  it('dials: the same handlers on the client side, with its subprotocols', async () => {
    const heard: string[] = [];
    @Connection({ framing: lines(), protocols: ['chat'] })
    class Server {
      @OnData() answer(line: string) {
        return `you said ${line}`;
      }
    }
    @Connection({ framing: lines(), protocols: ['other', 'chat'] })
    class Client {
      constructor(readonly peer: Peer<string, string>) {}
      @OnConnect() ask() {
        return 'hello';
      }
      @OnData() hear(line: string) {
        heard.push(line);
      }
    }
    const { address } = await r.listen(Server, url);
    const client = await r.reactor.connect(Client, address.url as 'ws://x');
    expect(client.peer.request!.protocol).to.equal('chat');
    await waitFor(() => heard.length > 0);
    expect(heard).to.deep.equal(['you said hello']);
  });

  it('says why it cannot connect, with a ConnectError', async () => {
    @Connection()
    class Nobody {}
    const { address } = await r.listen(Nobody, url);
    const failing = (to: string, options = {}): Promise<unknown> =>
      r.reactor.connect(Nobody, to as 'ws://x', options).then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(await failing(`ws://127.0.0.1:${address.port}/elsewhere`)).to.include({ name: 'ConnectError', reason: 'refused' });
    expect(await failing('ws://127.0.0.1:1')).to.include({ name: 'ConnectError', reason: 'refused' });
    expect(await failing('ws://no.such.name.invalid')).to.include({ name: 'ConnectError', reason: 'unresolvable' });
    expect(await failing(address.url, { signal: AbortSignal.abort() })).to.include({ name: 'ConnectError', reason: 'aborted' });
    @Connection()
    class Silent {}
    const silent = await r.listen(Silent, 'tcp://127.0.0.1:0');
    const late = await failing(`ws://127.0.0.1:${silent.address.port}`, { handshakeTimeout: 50 });
    expect(late).to.include({ name: 'ConnectError', reason: 'timeout' });
    expect(r.reactor.connections(Nobody).count).to.equal(0);
  });

  describe('ends', () => {
    const reasons: CloseReason[] = [];
    let last: Peer<string, string>;
    @Connection({ framing: lines({ maxLength: '1kb' }) })
    class Ends {
      constructor(peer: Peer<string, string>) {
        last = peer;
      }
      @OnData() async answer(line: string) {
        if (line === 'fail') throw new Error('by the handler');
        await new Promise(resolve => setImmediate(resolve));
        return `re: ${line}`;
      }
      @OnClose() over(reason: CloseReason) {
        reasons.push(reason);
      }
    }
    beforeEach(() => void reasons.splice(0));
    const reason = (): Promise<CloseReason> => waitFor(() => reasons[0]);

    it('with 1000 when the handler ends it, after what is due', async () => {
      const client = await webClient((await r.listen(Ends, url)).address.url);
      client.send('one');
      await waitFor(() => last.bytesRead > 0);
      last.end('bye');
      expect(await client.closed).to.deep.equal({ code: 1000, reason: '' });
      expect(client.messages).to.deep.equal(['re: one', 'bye']);
      expect(await reason()).to.deep.include({ by: 'local', code: 'END' });
    });

    it('with the code of the peer when the peer closes, and not before what it said is answered', async () => {
      const client = await webClient((await r.listen(Ends, url)).address.url);
      client.send('one');
      client.send('two');
      client.socket.close(3001, 'enough');
      expect(await client.closed).to.include({ code: 3001 });
      expect(client.messages).to.deep.equal(['re: one', 're: two']);
      expect(await reason()).to.deep.include({ by: 'peer', code: 'END' });
    });

    it('by the peer, as a reset, when it is gone without a close frame', async () => {
      const client = await webClient((await r.listen(Ends, url)).address.url);
      client.socket.terminate();
      expect(await reason()).to.include({ by: 'peer', code: 'ECONNRESET' });
    });

    it('with 1011 when a handler fails, and 1001 when the application closes', async () => {
      const { address } = await r.listen(Ends, url);
      const failing = await webClient(address.url);
      failing.send('fail');
      expect(await failing.closed).to.include({ code: 1011 });
      expect(await reason()).to.include({ by: 'error' });
      const staying = await webClient(address.url);
      await r.core.stopListening();
      await r.core.drain();
      expect(await staying.closed).to.include({ code: 1001 });
    });

    it('with 1009 for a message above the limit, and its error is one of the framing', async () => {
      const client = await webClient((await r.listen(Ends, url)).address.url);
      client.send('fine');
      client.send('x'.repeat(2_000));
      expect(await client.closed).to.include({ code: 1009 });
      expect(client.messages).to.deep.equal(['re: fine']);
      expect(await reason()).to.include({ by: 'error', code: 'ERR_PACKET_FRAMING_TOO_LARGE' });
    });

    it('with 1007 for text that is no UTF-8, and 1002 for what is no websocket frame', async () => {
      const { address } = await r.listen(Ends, url);
      for (const [bytes, code] of [
        [[0x81, 0x81, 0, 0, 0, 0, 0xff], 1007],
        [[0x83, 0x80, 0, 0, 0, 0], 1002],
        [[0x81, 0x01, 0x41], 1002],
      ] as const) {
        reasons.splice(0);
        const client = await webClient(address.url);
        // Beneath the client's own framing.
        (client.socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(Buffer.from(bytes));
        expect(await client.closed).to.include({ code });
        expect(await reason()).to.include({ by: 'error', code: 'ERR_PACKET_FRAMING' });
      }
    });

    it('by a timeout when it goes silent after saying nothing, and when half a message does not become whole', async () => {
      const { address } = await r.listen(Ends, { url, firstMessageTimeout: 60, messageTimeout: 60 });
      const silent = await webClient(address.url);
      expect(await reason()).to.include({ by: 'timeout', code: 'firstMessageTimeout' });
      await silent.closed;
      reasons.splice(0);
      const half = await webClient(address.url);
      half.socket.send('the beginning', { fin: false });
      expect(await reason()).to.include({ by: 'timeout', code: 'messageTimeout' });
      await half.closed;
    });

    it('by a dead peer that answers no ping, and not by one that does', async () => {
      const { address } = await r.listen(Ends, { url, keepAlive: 30, firstMessageTimeout: 0 });
      const living = await webClient(address.url);
      const dead = await webClient(address.url, [], { autoPong: false });
      expect(await reason()).to.include({ by: 'error', code: 'ETIMEDOUT' });
      expect(await dead.closed).to.include({ code: 1006 });
      living.send('still');
      expect(await living.next()).to.equal('re: still');
    });
  });

  it('gives @OnError the last word on a broken frame, before the close frame', async () => {
    const abouts: About[] = [];
    @Connection({ framing: lines({ maxLength: '1kb' }) })
    class Polite {
      @OnData() no() {}
      @OnError() explain(error: Error, about: About) {
        abouts.push(about);
        return `sorry: ${error.name}`;
      }
    }
    const client = await webClient((await r.listen(Polite, url)).address.url);
    client.send('x'.repeat(3_000));
    expect(await client.next()).to.equal('sorry: FramingError');
    expect(await client.closed).to.include({ code: 1009 });
    expect(abouts).to.have.length(1);
    expect(abouts[0]).to.include({ during: 'framing' });
  });

  it('brings back 5 MB of random bytes as they were, in messages of any size', async () => {
    @Connection({ maxMessageSize: '8mb' })
    class Echo {
      @OnData() echo(message: Buffer) {
        return message;
      }
    }
    const client = await webClient((await r.listen(Echo, url)).address.url);
    const bytes = randomBytes(5_000_000);
    const sizes = [1, 125, 126, 65_535, 65_536, 1_000_000];
    let at = 0;
    for (let i = 0; at < 4_000_000; i++) {
      const size = sizes[i % sizes.length]!;
      client.send(bytes.subarray(at, at + size));
      at += size;
    }
    client.send(bytes.subarray(at));
    await waitFor(() => client.messages.reduce((sum, { length }) => sum + length, 0) === bytes.length, { within: '10s' });
    expect(Buffer.concat(client.messages as Buffer[]).equals(bytes)).to.equal(true);
  });

  it('reads no faster than the handler handles, and loses nothing', async () => {
    let inFlight = 0;
    let most = 0;
    let handled = 0;
    let go: () => void = () => {};
    const gate = new Promise<void>(resolve => (go = resolve));
    const peers: Peer[] = [];
    @Connection({ highWaterMark: '16kb' })
    class Slow {
      constructor(peer: Peer) {
        peers.push(peer);
      }
      @OnData() async take() {
        most = Math.max(most, ++inFlight);
        await gate;
        inFlight--;
        handled++;
      }
    }
    const client = await webClient((await r.listen(Slow, url)).address.url);
    const message = Buffer.alloc(8_000);
    let sent = 0;
    // Until neither the kernel nor the server takes any more.
    while (client.socket.bufferedAmount < 1_000_000) {
      for (let i = 0; i < 50; i++, sent++) client.send(message);
      await new Promise(resolve => setImmediate(resolve));
    }
    expect(peers[0]!.bytesRead).to.be.lessThan(sent * message.length);
    go();
    await soon(
      waitFor(() => handled === sent, { within: '10s' }),
      { within: '11s' },
    );
    expect(most).to.equal(1);
  });

  it('drops a peer that does not read, instead of keeping everything for it', async () => {
    const reasons: CloseReason[] = [];
    const peers: Peer[] = [];
    @Connection({ maxBufferedBytes: '1mb' })
    class Generous {
      constructor(peer: Peer) {
        peers.push(peer);
      }
      @OnData() flood() {
        for (let i = 0; i < 1_000 && this.on; i++) peers[0]!.send(Buffer.alloc(64_000));
      }
      get on(): boolean {
        return !peers[0]!.signal.aborted;
      }
      @OnClose() over(reason: CloseReason) {
        reasons.push(reason);
      }
    }
    const client = await webClient((await r.listen(Generous, url)).address.url);
    client.socket.pause();
    client.send('go');
    expect(await waitFor(() => reasons[0])).to.include({ by: 'limit', code: 'maxBufferedBytes' });
  });

  it('flushes, and says when a reader is slow', async () => {
    const peers: Peer[] = [];
    @Connection()
    class Quiet {
      constructor(peer: Peer) {
        peers.push(peer);
      }
    }
    const client = await webClient((await r.listen(Quiet, url)).address.url);
    const [peer] = peers as [Peer];
    client.socket.pause();
    for (let i = 0; i < 200; i++) peer.send(Buffer.alloc(50_000));
    expect(peer.congested).to.equal(true);
    expect(peer.bufferedBytes).to.be.greaterThan(0);
    const flushed = peer.flush();
    client.socket.resume();
    await flushed;
    expect(peer.congested).to.equal(false);
    expect(peer.bytesWritten).to.equal(10_000_000);
    await waitFor(() => client.messages.length === 200);
  });

  it('sends what the constructor has said, however much it is', async () => {
    const much = 'x'.repeat(200_000);
    @Connection({ framing: lines({ maxLength: '1mb' }) })
    class Chatty {
      constructor(peer: Peer<string, string>) {
        peer.send('first');
        peer.send(much);
      }
      @OnConnect() greet() {
        return 'last';
      }
      @OnData() data() {}
    }
    const client = await webClient((await r.listen(Chatty, url)).address.url);
    expect([await client.next(), await client.next(), await client.next()]).to.deep.equal(['first', much, 'last']);
    const [open] = r.reactor.connections();
    await soon(open!.peer.flush());
    expect([open!.peer.bufferedBytes, open!.peer.congested]).to.deep.equal([0, false]);
  });
});

describe('websocket, as a stream of bytes', () => {
  let count = 0;
  streamConformance(
    'ws',
    () => `ws://127.0.0.1:0/${++count}`,
    () => ({ stream: true, maxMessageSize: '8mb' }),
  );
  if (!needsProgram('openssl')) return;
  let authority: Authority;
  let tls: object;
  before(() => {
    authority = new Authority();
    tls = { ...authority.issue('127.0.0.1'), ca: authority.cert };
  });
  after(() => authority[Symbol.dispose]());
  streamConformance(
    'wss',
    () => `wss://127.0.0.1:0/${++count}`,
    () => ({ stream: true, maxMessageSize: '8mb', tls }),
  );
});
