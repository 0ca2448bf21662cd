import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Connection } from '../../src/decorators/connection/connection.js';
import { OnClose, OnConnect, OnData, OnDrain, OnEnd } from '../../src/decorators/connection/connection-hooks.js';
import type { Ctor } from '../../src/decorators/ctor.js';
import type { CloseReason } from '../../src/decorators/hook-types.js';
import { lengthPrefixed } from '../../src/framing/length-prefixed.js';
import { lines } from '../../src/framing/lines.js';
import { raw } from '../../src/framing/raw.js';
import { Peer, Reactor, type Listening } from '../../src/reactor/index.js';
import { FakeClock } from '../../src/testing/fake-clock.js';
import { Authority, type Certificate } from '../kit/programs/certificates.js';
import { needsProgram, soon, spawnProgram } from '../kit/index.js';
import { rig, type Rig } from '../kit/reactor.js';
import { deferred, turns } from '../kit/signals.js';
import { tlsClient } from '../kit/clients/tls-client.js';

const MB = 1_000_000;
const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('a tls: connection', function () {
  if (!needsProgram('openssl')) return;
  let authority: Authority;
  let certificate: Certificate;
  let folder: string;
  let kit: Rig;
  before(() => {
    authority = new Authority();
    certificate = authority.issue('127.0.0.1');
    folder = mkdtempSync(join(tmpdir(), 'packet-tls-'));
  });
  after(() => {
    authority[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => (kit = rig()));
  afterEach(() => kit.close());

  const serve = (cls: Ctor, options = {}): Promise<Listening> => kit.listen(cls, 'tls://127.0.0.1:0', { tls: certificate, ...options });
  const dial = ({ address }: Listening, options = {}) => tlsClient({ port: address.port, ca: authority.cert, ...options });
  const made = <T>(): T => kit.made.at(-1) as T;

  @Connection({ framing: raw() })
  class Echo {
    readonly closed = deferred<CloseReason>();
    constructor(readonly peer: Peer) {}
    @OnData() data(bytes: Buffer) {
      return bytes;
    }
    @OnClose() close(why: CloseReason) {
      this.closed.resolve(why);
    }
  }

  it('brings back 5 MB that come before the client reads any of it, and are followed by its end', async () => {
    const client = await dial(await serve(Echo, { maxBufferedBytes: '2mb' }));
    const bytes = randomBytes(5 * MB);
    client.socket.pause();
    client.end(bytes);
    await turns(50);
    client.socket.resume();
    const back = await client.inbox.rest({ within: '15s' });
    expect(hash(back)).to.equal(hash(bytes));
  });

  it('carries a message of 16 MB, and many small ones in one go', async () => {
    const framing = lengthPrefixed({ bytes: 4 });
    @Connection({ framing, maxMessageSize: '16mb' })
    class Sizes {
      @OnData() data(message: Buffer) {
        return Buffer.from(hash(message));
      }
    }
    const client = await dial(await serve(Sizes));
    const messages = [randomBytes(16 * 1024 * 1024), ...Array.from({ length: 500 }, (_, at) => randomBytes(at))];
    for (const message of messages) {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(message.length);
      void client.send(Buffer.concat([head, message]));
    }
    for (const message of messages) {
      expect((await client.bytes(68, { within: '10s' })).toString('latin1', 4)).to.equal(hash(message));
    }
  });

  it('feels congestion, and is told when there is room: a frozen reader costs no more than it may', async () => {
    const drained = deferred();
    @Connection({ framing: raw() })
    class Pouring {
      constructor(readonly peer: Peer) {}
      @OnConnect() pour() {
        while (!this.peer.congested) this.peer.send(Buffer.alloc(16 * 1024));
      }
      @OnDrain() drain() {
        drained.resolve();
      }
    }
    const client = await dial(await serve(Pouring));
    client.socket.pause();
    await turns(10);
    const { peer } = made<Pouring>();
    while (!peer.congested) peer.send(Buffer.alloc(64 * 1024));
    const { bufferedBytes, bytesWritten } = peer;
    await turns(20);
    expect(peer.bufferedBytes).to.be.at.most(bufferedBytes);
    expect(peer.bytesWritten).to.be.at.least(bytesWritten);
    client.socket.resume();
    await soon(drained.promise);
    await peer.flush();
    expect(peer.bufferedBytes).to.equal(0);
  });

  it('is dropped when its peer takes nothing for drainTimeout, and not while it takes a little', async () => {
    await kit.close();
    const clock = new FakeClock();
    kit = rig(clock);
    const client = await dial(await serve(Echo, { drainTimeout: '10s', maxBufferedBytes: '64mb' }));
    // What it reads is thrown away.
    client.socket.removeAllListeners('data').pause();
    await client.send('x');
    while (kit.made.length === 0) await turns(1);
    const { peer, closed } = made<Echo>();
    for (let i = 0; i < 4; i++) peer.send(randomBytes(10 * MB));
    while (!peer.congested) await turns(1);
    await turns(50);
    // Before each deadline it reads some, less than what is written in one piece.
    for (let i = 0; i < 3; i++) {
      await clock.advance('9s');
      const enough = client.socket.bytesRead + 4 * MB;
      client.socket.resume();
      while (client.socket.bytesRead < enough) await once(client.socket, 'data');
      client.socket.pause();
      await turns(50);
    }
    expect(peer.signal.aborted).to.equal(false);
    await clock.advance('10s');
    await clock.advance('10s');
    expect(await soon(closed.promise)).to.include({ by: 'limit', code: 'drainTimeout' });
  });

  it('sends a file, or a part of one', async () => {
    const bytes = randomBytes(3 * MB);
    const file = join(folder, 'file');
    writeFileSync(file, bytes);
    @Connection({ framing: lines() })
    class Files {
      constructor(readonly peer: Peer<string, string>) {}
      @OnData() async data(line: string) {
        const [start, length] = line.split(' ').map(Number);
        this.peer.send('here it is');
        const sent = this.peer.sendFile(file, { start, length });
        this.peer.send('that was it');
        return `${await sent}`;
      }
    }
    const client = await dial(await serve(Files));
    for (const [start, length] of [
      [0, 3 * MB],
      [1_234_567, 65_537],
    ] as const) {
      await client.send(`${start} ${length}\n`);
      expect(await client.line()).to.equal('here it is');
      expect(hash(await client.bytes(length, { within: '10s' }))).to.equal(hash(bytes.subarray(start, start + length)));
      expect(await client.lines(2)).to.deep.equal(['that was it', String(length)]);
    }
  });

  it('is piped both ways: TLS in front of a server that knows none', async () => {
    const plain = await kit.listen(Echo, 'tcp://127.0.0.1:0');
    @Connection()
    class Upstream {
      constructor(readonly peer: Peer) {}
    }
    @Connection()
    class Front {
      readonly done = deferred<readonly number[]>();
      constructor(
        readonly peer: Peer,
        private readonly reactor: Reactor,
      ) {}
      @OnConnect() async forward() {
        const upstream = await this.reactor.connect(Upstream, plain.address.url as 'tcp://x');
        Promise.all([this.peer.pipe(upstream.peer), upstream.peer.pipe(this.peer)]).then(this.done.resolve, this.done.reject);
      }
    }
    const client = await dial(await serve(Front), { allowHalfOpen: true });
    const bytes = randomBytes(5 * MB);
    client.end(bytes);
    expect(hash(await client.inbox.rest({ within: '15s' }))).to.equal(hash(bytes));
    expect(await soon((kit.made.find(handler => handler instanceof Front) as Front).done.promise)).to.deep.equal([5 * MB, 5 * MB]);
  });

  it('that is half-closed is answered before it is closed: openssl s_client, and a client of Node', async () => {
    @Connection({ framing: lines() })
    class Slow {
      readonly closed = deferred<CloseReason>();
      @OnData() async data(line: string) {
        await turns(20);
        return `answer to ${line}`;
      }
      @OnClose() close(why: CloseReason) {
        this.closed.resolve(why);
      }
    }
    const listening = await serve(Slow);
    const client = await dial(listening, { allowHalfOpen: true });
    client.end('one\ntwo\nthree');
    expect(await client.all()).to.equal('answer to one\nanswer to two\nanswer to three\n');
    expect(await soon(made<Slow>().closed.promise)).to.deep.equal({ by: 'peer', code: 'END' });
    // Told to wait for the server's end, it half-closes as netcat does.
    const program = spawnProgram('openssl', ['s_client', '-connect', `127.0.0.1:${listening.address.port}`, '-quiet']);
    program.stdin.end('four\n');
    expect(await program.line()).to.equal('answer to four');
    program.kill('SIGKILL');
    await program.exited;
  });

  it('may stay half-open, and is told of it', async () => {
    @Connection({ framing: lines(), allowHalfOpen: true })
    class HalfOpen {
      constructor(readonly peer: Peer<string, string>) {}
      @OnEnd() ended() {
        this.peer.send('still here');
        this.peer.end('and now I go');
      }
    }
    const client = await dial(await serve(HalfOpen), { allowHalfOpen: true });
    client.end();
    expect(await client.all()).to.equal('still here\nand now I go\n');
  });

  it('says goodbye: whoever is ended politely sees no truncation', async () => {
    @Connection({ framing: lines() })
    class Polite {
      constructor(readonly peer: Peer<string, string>) {}
      @OnConnect() bye() {
        this.peer.end('bye');
      }
    }
    const { address } = await serve(Polite);
    const program = spawnProgram('openssl', ['s_client', '-connect', `127.0.0.1:${address.port}`, '-quiet', '-verify_quiet']);
    expect(await program.line()).to.equal('bye');
    expect(await program.exit()).to.deep.equal({ code: 0, signal: null });
    expect(program.stderr.text).not.to.match(/unexpected eof/);
  });

  it('knows, when it is gone, what it has sent and received and who was there', async () => {
    const client = await dial(await serve(Echo));
    await client.send('hello');
    await client.bytes(5);
    const { peer, closed } = made<Echo>();
    client.end();
    await soon(closed.promise);
    expect([peer.bytesRead, peer.bytesWritten, peer.bufferedBytes]).to.deep.equal([5, 5, 0]);
    expect(peer.remote).to.include({ address: '127.0.0.1', port: client.socket.localPort });
    expect(peer.tls).to.include({ protocol: 'TLSv1.3' });
  });
});
