import { expect } from 'chai';
import { Connection, OnClose, OnData, Peer, type CloseReason } from 'packet-ts';
import { lines, raw } from 'packet-ts/framing';
import { ReadableStream } from 'node:stream/web';
import type { Ctor } from '../../../src/decorators/ctor.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';
import { Events } from '../../kit/events.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { deferred, turns, type Deferred } from '../../kit/signals.js';
import { WireClient } from '../../kit/clients/wire-client.js';

describe('a client that half-closes behind its request', () => {
  let clock: FakeClock;
  let r: Rig;
  let reasons: CloseReason[];
  let answer: Deferred<string>;
  beforeEach(() => {
    r = rig((clock = new FakeClock()));
    reasons = [];
    answer = deferred<string>();
  });
  afterEach(() => r.close());

  class Noting {
    @OnClose() note(reason: CloseReason): void {
      reasons.push(reason);
    }
  }

  async function request(cls: Ctor, text: string, options = {}): Promise<WireClient> {
    const { address } = await r.listen(cls, undefined, options);
    const client = await WireClient.connect(address.url);
    client.send(text);
    client.end();
    await turns();
    return client;
  }

  it('gets an answer that takes longer than halfCloseGrace', async () => {
    @Connection({ framing: lines() })
    class Slow extends Noting {
      @OnData() ask(): Promise<string> {
        return answer.promise;
      }
    }
    const client = await request(Slow, 'slow\n');
    await clock.advance('1m');
    answer.resolve('a minute later');
    expect(await client.readsAll()).to.equal('a minute later\n');
    await client.whenClosed();
    await turns();
    expect(reasons).to.deep.equal([{ by: 'peer', code: 'END' }]);
  });

  it('gets all items of a generator whose items are further apart than halfCloseGrace', async () => {
    @Connection({ framing: lines() })
    class Counts extends Noting {
      @OnData() async *count(): AsyncGenerator<string> {
        for (let i = 0; i < 3; i++) {
          await new Promise<void>(resolve => clock.after(6_000, resolve));
          yield String(i);
        }
      }
    }
    const client = await request(Counts, 'count\n');
    await clock.advance('20s');
    expect(await client.readsAll()).to.equal('0\n1\n2\n');
  });

  it('gets answers to all messages that rateLimit holds back for longer than halfCloseGrace', async () => {
    @Connection({ framing: lines(), rateLimit: { messages: 1, per: '10s', beyond: 'pause' } })
    class Echo extends Noting {
      @OnData() echo(line: string): string {
        return line;
      }
    }
    const client = await request(Echo, 'one\ntwo\nthree\n');
    await clock.advance('35s');
    expect(await client.readsAll()).to.equal('one\ntwo\nthree\n');
  });

  it('gets the rest of a large answer as long as bytes move', async () => {
    @Connection({ framing: raw(), highWaterMark: '16kb' })
    class Download extends Noting {
      constructor(private readonly peer: Peer) {
        super();
      }
      @OnData() get(): void {
        for (let i = 0; i < 10; i++) this.peer.send(Buffer.alloc(100_000));
      }
    }
    const client = await request(Download, 'get');
    for (let read = client.length; read < 1_000_000; read = client.length) {
      client.transport.pause();
      await clock.advance('4s');
      expect(reasons).to.deep.equal([]);
      client.transport.resume();
      await client.when(() => client.length > read);
    }
    await client.readsAll();
    expect(client.length).to.equal(1_000_000);
  });

  it('is closed by timeout, is told so by a reset, and the log says so, when it reads nothing for halfCloseGrace', async () => {
    @Connection({ framing: raw() })
    class Download extends Noting {
      constructor(private readonly peer: Peer) {
        super();
      }
      @OnData() get(): void {
        this.peer.send(Buffer.alloc(1_000_000));
      }
    }
    const { address } = await r.listen(Download);
    const client = await WireClient.connect(address.url);
    client.transport.pause();
    client.send('get');
    client.end();
    await turns();
    using limits = new Events('connection.limit');
    await clock.advance('4900ms');
    expect(reasons).to.deep.equal([]);
    await clock.advance('200ms');
    await client.whenClosed();
    expect(reasons.map(({ by, code }) => ({ by, code }))).to.deep.equal([{ by: 'timeout', code: 'halfCloseGrace' }]);
    expect(limits.seen.map(({ limit }) => limit)).to.deep.equal(['halfCloseGrace']);
    expect(client.error).to.include({ code: 'ECONNRESET' });
  });

  it('does not keep an event stream of which nothing comes: its source is cancelled after halfCloseGrace', async () => {
    let cancelled = false;
    let emit: (item: string) => void = () => {};
    @Connection({ framing: lines() })
    class Events extends Noting {
      @OnData() subscribe(): ReadableStream<string> {
        return new ReadableStream<string>({
          start: controller => void (emit = item => controller.enqueue(item)),
          cancel: () => void (cancelled = true),
        });
      }
    }
    const client = await request(Events, 'subscribe\n');
    for (let i = 0; i < 3; i++) {
      await clock.advance('4s');
      emit('still');
      await client.when(() => client.text.split('\n').length > i + 1);
    }
    expect(reasons).to.deep.equal([]);
    // The last item has moved bytes after it was given: the grace starts anew once.
    await clock.advance('10s');
    await client.whenClosed();
    await turns();
    expect(cancelled).to.equal(true);
    expect(reasons.map(({ by, code }) => ({ by, code }))).to.deep.equal([{ by: 'timeout', code: 'halfCloseGrace' }]);
  });
});
