import { expect } from 'chai';
import { Connection } from '../../src/decorators/connection/connection.js';
import { OnClose, OnConnect, OnData, OnDrain, OnError, OnIdle } from '../../src/decorators/connection/connection-hooks.js';
import type { Ctor } from '../../src/decorators/ctor.js';
import type { CloseReason } from '../../src/decorators/hook-types.js';
import type { Limits } from '../../src/decorators/connection/endpoint-types.js';
import { lengthPrefixed } from '../../src/framing/length-prefixed.js';
import { lines } from '../../src/framing/lines.js';
import { raw } from '../../src/framing/raw.js';
import type { Framing } from '../../src/framing/framing.js';
import { Peer } from '../../src/reactor/index.js';
import { defaultMaxConnections, resolveLimits } from '../../src/session/limits.js';
import { FakeClock } from '../../src/testing/fake-clock.js';
import { Events } from '../kit/events.js';
import { rig, type Rig } from '../kit/reactor.js';
import { deferred, Journal, turns } from '../kit/signals.js';
import { WireClient } from '../kit/clients/wire-client.js';

describe('the limits of a connection', () => {
  let kit: Rig;
  let clock: FakeClock;
  let journal: Journal;
  beforeEach(() => {
    kit = rig((clock = new FakeClock()));
    journal = new Journal();
  });
  afterEach(() => kit.close());

  const handler = (options: Limits & { framing?: Framing<string> } = {}): Ctor => {
    @Connection({ framing: lines(), ...options })
    class Limited {
      constructor(readonly peer: Peer) {}
      @OnData() async data(line: string) {
        if (line.startsWith('wait')) await gate.promise;
        return line;
      }
      @OnClose() closed({ by, code }: CloseReason) {
        journal.note(`${by} ${code}`);
      }
    }
    return Limited;
  };
  let gate = deferred();
  beforeEach(() => (gate = deferred()));
  const dial = async (cls: Ctor, where?: 'tcp://127.0.0.1:0'): Promise<WireClient> =>
    WireClient.connect((await kit.listen(cls, where)).address.url);
  const peer = (): Peer => (kit.made.at(-1) as { peer: Peer }).peer;

  it('have the defaults of the manual', () => {
    const limits = resolveLimits({}, raw(), 'tcp', 'listen');
    const kb = 1024;
    expect(limits).to.deep.equal({
      maxConnections: defaultMaxConnections(),
      whenFull: 'reject',
      maxPerPeer: Math.ceil(defaultMaxConnections() / 10),
      maxMessageSize: 1024 * kb,
      firstMessageTimeout: 30_000,
      messageTimeout: 30_000,
      idleTimeout: Infinity,
      connectTimeout: 10_000,
      handshakeTimeout: 10_000,
      highWaterMark: 64 * kb,
      lowWaterMark: 32 * kb,
      maxBufferedBytes: 16 * 1024 * kb,
      drainTimeout: 30_000,
      halfCloseGrace: 5_000,
      rateLimit: undefined,
    });
    expect(resolveLimits({}, lines(), 'unix', 'listen')).to.include({
      maxMessageSize: 64 * kb,
      firstMessageTimeout: Infinity,
    });
    expect(resolveLimits({}, lines(), 'tcp', 'connect')).to.include({ firstMessageTimeout: Infinity });
  });

  it('are off with 0 and false', () => {
    const off = { maxConnections: 0, maxMessageSize: false, messageTimeout: 0, drainTimeout: false, maxBufferedBytes: 0 } as const;
    const limits = resolveLimits(off, raw(), 'tcp', 'listen');
    for (const name of Object.keys(off) as (keyof typeof off)[]) expect(limits[name], name).to.equal(Infinity);
  });

  it('maxPerPeer is a tenth of maxConnections, at least one, and off where that is', () => {
    for (const [maxConnections, expected] of [
      [10_000, 1000],
      [25, 3],
      [1, 1],
      [0, Infinity],
    ] as const)
      expect(resolveLimits({ maxConnections }, raw(), 'tcp', 'listen').maxPerPeer).to.equal(expected);
    expect(resolveLimits({ maxPerPeer: 0 }, raw(), 'tcp', 'listen').maxPerPeer).to.equal(Infinity);
  });

  it('maxConnections is lower where descriptors are scarcer', () => {
    expect(defaultMaxConnections()).to.be.within(1, 10_000);
  });

  describe('firstMessageTimeout', () => {
    it('closes a tcp client that says nothing', async () => {
      using opened = new Events('connection.open');
      const accepted = opened.next();
      const client = await dial(handler(), 'tcp://127.0.0.1:0');
      await accepted;
      await clock.advance('31s');
      await client.readsAll();
      client.end();
      await journal.has('timeout firstMessageTimeout');
    });

    it('is off once anything was sent or received', async () => {
      @Connection({ framing: lines(), firstMessageTimeout: '1s' })
      class Greets {
        @OnConnect() hello() {
          return 'hello';
        }
        @OnData() data() {}
      }
      const greeted = await dial(Greets);
      await greeted.reads('hello');
      const spoke = await dial(handler({ firstMessageTimeout: '1s', messageTimeout: false }));
      spoke.send('half a li');
      await turns();
      await clock.advance('1h');
      expect([greeted.isClosed, spoke.isClosed]).to.deep.equal([false, false]);
    });
  });

  describe('messageTimeout', () => {
    it('counts from a message’s first byte; more bytes do not extend it', async () => {
      const client = await dial(handler());
      client.send('whole\nslow');
      await client.reads('whole\n');
      for (let i = 0; i < 5; i++) {
        await clock.advance('5s');
        client.send('.');
        await turns();
      }
      expect(client.isClosed).to.equal(false);
      await clock.advance('6s');
      expect(client.isClosed).to.equal(true);
      expect(journal.entries).to.deep.equal(['timeout messageTimeout']);
    });

    it('does not count between messages', async () => {
      const client = await dial(handler());
      client.send('a\n');
      await client.reads('a\n');
      await clock.advance('10m');
      client.send('b\nbeginning');
      await client.reads('b\n');
      await clock.advance('20s');
      client.send(' and end\n');
      await client.reads('beginning and end\n');
      await clock.advance('10m');
      expect(client.isClosed).to.equal(false);
    });

    it('each message has its own', async () => {
      const client = await dial(handler());
      for (let i = 0; i < 5; i++) {
        client.send(`${i} begins`);
        await turns();
        await clock.advance('20s');
        client.send(` and ends\n`);
        await client.reads(`${i} begins and ends\n`);
      }
    });

    it('stands still while a handler runs, and while the peer is paused', async () => {
      const client = await dial(handler());
      client.send('wait\nbegun');
      await turns();
      await clock.advance('10m');
      expect(client.isClosed).to.equal(false);
      gate.resolve();
      await client.reads('wait\n');
      await clock.advance('20s');
      peer().pause();
      await clock.advance('10m');
      peer().resume();
      await clock.advance('9s');
      expect(client.isClosed).to.equal(false);
      await clock.advance('2s');
      expect(client.isClosed).to.equal(true);
    });

    it('works for decoders that cannot tell what is pending', async () => {
      const { decoder, encode } = lengthPrefixed({ bytes: 2 });
      const framing: Framing<Buffer> = {
        encode,
        decoder: limit => {
          const inner = decoder(limit);
          return { push: chunk => inner.push(chunk), next: () => inner.next(), rest: () => inner.rest() };
        },
      };
      @Connection({ framing })
      class Foreign {
        @OnData() data(bytes: Buffer) {
          return bytes;
        }
      }
      const client = await dial(Foreign);
      client.send(Buffer.from([0, 1, 7]));
      await client.reads('\x07');
      await clock.advance('10m');
      expect(client.isClosed).to.equal(false);
      client.send(Buffer.from([0]));
      await turns();
      await clock.advance('31s');
      expect(client.isClosed).to.equal(true);
    });
  });

  describe('idleTimeout', () => {
    it('closes a silent connection; every arrival begins it anew', async () => {
      const client = await dial(handler({ idleTimeout: '10s' }));
      for (let i = 0; i < 4; i++) {
        await clock.advance('9s');
        client.send('x\n');
        await turns();
      }
      expect(client.isClosed).to.equal(false);
      await clock.advance('11s');
      expect(journal.entries).to.deep.equal(['timeout idleTimeout']);
    });

    it('calls @OnIdle once per silence instead, and the connection stays', async () => {
      @Connection({ framing: lines(), idleTimeout: '10s' })
      class Patient {
        @OnData() data() {}
        @OnIdle() idle() {
          journal.note('idle');
          return 'ping';
        }
      }
      const client = await dial(Patient);
      await clock.advance('1h');
      expect(journal.entries).to.deep.equal(['idle']);
      client.send('pong\n');
      await turns();
      await clock.advance('1h');
      expect(journal.entries).to.deep.equal(['idle', 'idle']);
      expect(client.text).to.equal('ping\nping\n');
    });

    it('stands still while a handler runs; setIdleTimeout changes it', async () => {
      const client = await dial(handler({ idleTimeout: '10s' }));
      await clock.advance('9s');
      client.send('wait\n');
      await turns();
      await clock.advance('1h');
      gate.resolve();
      await client.reads('wait\n');
      await clock.advance('9s');
      expect(client.isClosed).to.equal(false);
      peer().setIdleTimeout('1m');
      await clock.advance('59s');
      expect(client.isClosed).to.equal(false);
      peer().setIdleTimeout(false);
      await clock.advance('1d');
      expect(client.isClosed).to.equal(false);
      peer().setIdleTimeout(5);
      await clock.advance(5);
      expect(client.isClosed).to.equal(true);
    });
  });

  describe('maxMessageSize', () => {
    it('is a FramingError, and closes', async () => {
      @Connection({ framing: lines(), maxMessageSize: '1kb' })
      class Small {
        @OnData() data(line: string) {
          return String(line.length);
        }
        @OnError() error(error: Error & { code?: string }) {
          return String(error.code);
        }
      }
      const client = await dial(Small);
      client.send(`${'x'.repeat(1024)}\n${'x'.repeat(1030)}`);
      expect(await client.readsAll()).to.equal('1024\nERR_PACKET_FRAMING_TOO_LARGE\n');
    });
  });

  describe('what waits to be sent', () => {
    it('makes the peer congested at the high mark, and @OnDrain comes at the low one', async () => {
      @Connection({ framing: lines(), highWaterMark: '16kb', lowWaterMark: '4kb' })
      class Sends {
        constructor(readonly peer: Peer) {}
        @OnData() data() {
          let sent = 0;
          while (!this.peer.congested) {
            this.peer.send('x'.repeat(1000));
            sent++;
          }
          journal.note(`congested ${this.peer.bufferedBytes >= 16_384} ${sent < 1_000}`);
        }
        @OnDrain() drained() {
          journal.note(`drained ${this.peer.congested} ${this.peer.bufferedBytes <= 4096}`);
        }
      }
      const client = await dial(Sends);
      client.transport.pause();
      client.send('go\n');
      await turns(10);
      expect(journal.entries).to.deep.equal(['congested true true']);
      client.transport.resume();
      await journal.has('drained false true');
    });

    it('beyond maxBufferedBytes drops it by limit', async () => {
      const client = await dial(handler({ maxBufferedBytes: '1mb' }));
      client.transport.pause();
      await turns();
      const { send } = peer();
      let taken = 0;
      while (send.call(peer(), 'x'.repeat(100_000)) && taken < 1_000) taken++;
      await journal.has('limit maxBufferedBytes');
      expect(taken).to.be.within(10, 14);
    });

    it('drainTimeout without progress drops it by limit; progress extends it', async () => {
      const client = await dial(handler({ drainTimeout: '10s' }));
      await turns();
      client.transport.pause();
      for (let i = 0; i < 12; i++) peer().send('x'.repeat(50_000));
      await turns();
      for (let i = 0; i < 3; i++) {
        await clock.advance('9s');
        client.transport.resume();
        const before = client.length;
        await client.when(() => client.length > before);
        client.transport.pause();
        for (let n = 0; n < 12; n++) peer().send('x'.repeat(50_000));
        await turns();
      }
      expect(journal.entries).to.deep.equal([]);
      await clock.advance('10s');
      expect(journal.entries).to.deep.equal(['limit drainTimeout']);
    });

    it('flush() resolves when the kernel has it all, and rejects when the connection closes before', async () => {
      const client = await dial(handler());
      await turns();
      await peer().flush();
      client.transport.pause();
      peer().send('x'.repeat(1_000_000));
      let flushed = false;
      const flushing = peer()
        .flush()
        .then(() => (flushed = true));
      await turns();
      expect(flushed).to.equal(false);
      client.transport.resume();
      await flushing;
      expect(peer().bufferedBytes).to.equal(0);
      client.transport.pause();
      peer().send('x'.repeat(1_000_000));
      const failing = peer()
        .flush()
        .catch((error: Error) => error);
      await turns();
      client.destroy();
      expect(await failing).to.have.property('name', 'ConnectionClosedError');
    });
  });

  describe('rateLimit', () => {
    it('with pause, handles no more than it says; the rest waits', async () => {
      const client = await dial(handler({ rateLimit: { messages: 2, per: '1s', burst: 3, beyond: 'pause' } }));
      client.send('1\n2\n3\n4\n5\n6\n');
      await client.reads('3\n');
      await turns(10);
      expect(client.text).to.equal('1\n2\n3\n');
      await clock.advance('500ms');
      expect(client.text).to.equal('1\n2\n3\n4\n');
      await clock.advance('1s');
      expect(client.text).to.equal('1\n2\n3\n4\n5\n6\n');
    });

    it('with close, closes by limit', async () => {
      const client = await dial(handler({ rateLimit: { messages: 2, per: '1s', beyond: 'close' } }));
      client.send('1\n2\n');
      await client.reads('2\n');
      await clock.advance('1s');
      client.send('3\n4\n5\n');
      await journal.has('limit rateLimit');
    });
  });
});
