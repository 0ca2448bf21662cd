import { expect } from 'chai';
import { Connection } from '../../src/decorators/connection/connection.js';
import { OnClose, OnConnect, OnData, OnError } from '../../src/decorators/connection/connection-hooks.js';
import type { Ctor } from '../../src/decorators/ctor.js';
import type { CloseReason } from '../../src/decorators/hook-types.js';
import { lines } from '../../src/framing/lines.js';
import { raw } from '../../src/framing/raw.js';
import { Peer, Reactor } from '../../src/reactor/index.js';
import { Authority } from '../kit/programs/certificates.js';
import { atEnd, needsProgram, spawnProgram, tcpClient, type TcpClient } from '../kit/index.js';
import { rig, type Rig } from '../kit/reactor.js';
import { Journal, turns } from '../kit/signals.js';
import { tlsClient } from '../kit/clients/tls-client.js';
import { WireClient } from '../kit/clients/wire-client.js';

/** More than the kernel takes while nobody reads. */
const LARGE = 'x'.repeat(15_000_000);

describe('an answer that is cut off', () => {
  let kit: Rig;
  let journal: Journal;
  beforeEach(() => {
    kit = rig();
    journal = new Journal();
  });
  afterEach(() => kit.close());

  @Connection({ framing: lines() })
  class Cuts {
    constructor(private readonly peer: Peer<string, string>) {}
    @OnData() data(line: string): unknown {
      if (line === 'stream') return this.items();
      if (line === 'empty stream') return this.nothing();
      if (line === 'throw') throw new Error('no answer');
      if (line === 'reset') this.peer.reset();
      if (line.startsWith('GET /large')) {
        this.peer.send('first');
        this.peer.send(LARGE);
        setImmediate(() => this.peer.destroy());
      }
      if (line.includes('destroy')) setImmediate(() => this.peer.destroy());
      return 'whole';
    }
    @OnClose() closed({ by, code }: CloseReason) {
      journal.note(`${by} ${code}`);
    }
    private async *items() {
      yield 'first';
      yield 'second';
      await turns(2);
      throw new Error('the source broke');
    }
    private async *nothing() {
      await turns(2);
      if (this.peer.congested) yield 'never';
      throw new Error('there is nothing');
    }
  }
  /** A client that is not Node's: libuv takes a reset behind bytes that it has not read for an end. */
  const curl = async (port: number, line: string): Promise<number | null> =>
    (await spawnProgram('curl', ['-s', '--http0.9', '-o', '/dev/null', `http://127.0.0.1:${port}/${line}`]).exit()).code;
  const dial = async (cls: Ctor = Cuts): Promise<TcpClient> => tcpClient((await kit.listen(cls, 'tcp://127.0.0.1:0')).address.port);

  describe('while bytes wait', () => {
    if (!needsProgram('curl')) return;

    it('by destroy() is a reset, not an end', async () => {
      const { port } = (await kit.listen(Cuts, 'tcp://127.0.0.1:0')).address;
      // It may hear of the reset before it has read anything.
      expect(await curl(port, 'large'), 'empty reply, failure in receiving').to.be.oneOf([52, 56]);
    });
  });

  it('where everything has been sent destroy() ends the connection as ever', async () => {
    const client = await dial();
    await client.send('destroy\n');
    expect(await client.all()).to.equal('whole\n');
    client.end();
    expect(await client.closed, 'reset').to.equal(false);
  });

  it('by a stream that fails behind its first item is a reset behind what it gave', async () => {
    const client = await dial();
    await client.send('stream\n');
    expect(await client.lines(2)).to.deep.equal(['first', 'second']);
    expect(await client.closed, 'reset').to.equal(true);
    await journal.has('error Error');
  });

  it('before it has begun is an end: nothing can be taken for an answer', async () => {
    for (const line of ['throw', 'empty stream']) {
      const client = await dial();
      await client.send(`${line}\n`);
      expect(await client.all()).to.equal('');
      client.end();
      expect(await client.closed, line).to.equal(false);
    }
  });

  it('and explained by @OnError leaves the connection usable, and it ends as ever', async () => {
    @Connection({ framing: lines() })
    class Explains extends Cuts {
      @OnError() explain(error: Error) {
        return error.message;
      }
    }
    const client = await dial(Explains);
    await client.send('stream\n');
    expect(await client.lines(3)).to.deep.equal(['first', 'second', 'the source broke']);
    client.end('next\n');
    expect(await client.all()).to.equal('whole\n');
    expect(await client.closed, 'reset').to.equal(false);
  });

  it('in the middle of a pipe, because its source was reset, is a reset for who reads the target', async () => {
    @Connection({ framing: raw() })
    class Upstream {
      constructor(readonly peer: Peer) {}
    }
    @Connection({ framing: lines() })
    class Front {
      constructor(
        private readonly peer: Peer,
        private readonly reactor: Reactor,
      ) {}
      @OnData() async data(url: string) {
        // Cast: a url that the spec made.
        const upstream = await this.reactor.connect(Upstream, url as 'tcp://127.0.0.1:1');
        await upstream.peer.pipe(this.peer);
      }
    }
    @Connection({ framing: lines() })
    class Breaks {
      constructor(readonly peer: Peer<string, string>) {}
      @OnConnect() begin() {
        return 'half an ans';
      }
    }
    const { url } = (await kit.listen(Breaks, 'tcp://127.0.0.1:0')).address;
    const client = await dial(Front);
    await client.send(`${url}\n`);
    expect(await client.line()).to.equal('half an ans');
    (kit.made.find(each => each instanceof Breaks) as Breaks).peer.reset();
    expect(await client.closed, 'reset').to.equal(true);
  });

  it('peer.reset() resets at once', async () => {
    const client = await dial();
    await client.send('reset\n');
    expect(await client.closed, 'reset').to.equal(true);
    await journal.has('local RESET');
  });

  it('resets within this process, too', async () => {
    const client = await WireClient.connect((await kit.listen(Cuts)).address.url);
    client.send('reset\n');
    await client.whenClosed();
    expect(client.error).to.include({ code: 'ECONNRESET' });
  });

  describe('over TLS', () => {
    if (!needsProgram('openssl')) return;

    it('resets the connection beneath', async () => {
      const authority = new Authority();
      atEnd(() => authority[Symbol.dispose]());
      const { cert, key } = authority.issue('127.0.0.1');
      const { port } = (await kit.listen(Cuts, 'tls://127.0.0.1:0', { tls: { cert, key } })).address;
      const client = await tlsClient({ port, ca: authority.cert });
      await client.send('x\n');
      expect(await client.line()).to.equal('whole');
      await client.send('reset\n');
      expect(await client.closed).to.equal(true);
      expect(client.socket.errored).to.include({ code: 'ECONNRESET' });
    });
  });

  it('on a unix socket, which has no reset, closes', async () => {
    const path = `/tmp/packet-reset-${process.pid}.sock`;
    await kit.listen(Cuts, `unix:${path}`);
    const client = await tcpClient({ path });
    await client.send('reset\n');
    expect(await client.all()).to.equal('');
    await journal.has('local RESET');
  });
});
