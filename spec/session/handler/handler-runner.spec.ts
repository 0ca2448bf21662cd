import { expect } from 'chai';
import { z } from 'zod';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { OnClose, OnConnect, OnData, OnEnd, OnError, OnIdle } from '../../../src/decorators/connection/connection-hooks.js';
import type { About, CloseReason } from '../../../src/decorators/hook-types.js';
import { json } from '../../../src/framing/json.js';
import { lines } from '../../../src/framing/lines.js';
import { Peer } from '../../../src/reactor/index.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { deferred, Journal, turns, type Deferred } from '../../kit/signals.js';
import { WireClient } from '../../kit/clients/wire-client.js';

describe('the line of a connection', () => {
  let kit: Rig;
  let journal: Journal;
  let clock: FakeClock;
  beforeEach(() => {
    clock = new FakeClock();
    kit = rig(clock);
    journal = new Journal();
  });
  afterEach(() => kit.close());

  const dial = async (cls: Parameters<Rig['listen']>[0], options = {}): Promise<WireClient> =>
    WireClient.connect((await kit.listen(cls, undefined, options)).address.url);

  it('calls constructor, @OnConnect, @OnData, @OnEnd and @OnClose in this order, each after the one before has settled', async () => {
    const connecting = deferred();
    @Connection({ framing: lines(), allowHalfOpen: true })
    class Ordered {
      constructor(private readonly peer: Peer) {
        journal.note('constructor');
      }
      @OnConnect() async connected() {
        journal.note('connect');
        await connecting.promise;
        journal.note('connected');
      }
      @OnData() async data(line: string) {
        journal.note(`data ${line}`);
        await turns();
        journal.note(`done ${line}`);
      }
      @OnEnd() async ended() {
        journal.note('end');
        await turns();
        journal.note('ended');
        this.peer.end();
      }
      @OnClose() closed({ by }: CloseReason) {
        journal.note(`close by ${by}`);
      }
    }
    const client = await dial(Ordered);
    client.send('a\nb\n');
    client.end();
    await turns(10);
    expect(journal.entries).to.deep.equal(['constructor', 'connect']);
    connecting.resolve();
    await journal.has('close by local');
    expect(journal.entries).to.deep.equal([
      'constructor',
      'connect',
      'connected',
      'data a',
      'done a',
      'data b',
      'done b',
      'end',
      'ended',
      'close by local',
    ]);
  });

  it('makes one instance per connection', async () => {
    @Connection({ framing: lines() })
    class Counter {
      private count = 0;
      @OnData() count_(_: string) {
        return String(++this.count);
      }
    }
    const { address } = await kit.listen(Counter);
    const clients = await Promise.all([WireClient.connect(address.url), WireClient.connect(address.url)]);
    clients[0].send('x\nx\n');
    clients[1].send('x\n');
    await clients[0].reads('1\n2\n');
    await clients[1].reads('1\n');
    expect(kit.made).to.have.length(2);
  });

  it('handles messages one at a time, and idle hooks and timers do not wait for them', async () => {
    const slow = deferred();
    @Connection({ framing: lines(), idleTimeout: '1s' })
    class Busy {
      constructor(private readonly peer: Peer) {}
      @OnConnect() start() {
        this.peer.setIdleTimeout('2s');
      }
      @OnData() async data(line: string) {
        journal.note(line);
        if (line === 'slow') await slow.promise;
        return line;
      }
      @OnIdle() idle() {
        journal.note('idle');
        return 'are you there?';
      }
    }
    const client = await dial(Busy);
    await clock.advance('3s');
    expect(client.text).to.equal('are you there?\n');
    client.send('slow\nquick\n');
    await turns();
    expect(journal.entries).to.deep.equal(['idle', 'slow']);
    slow.resolve();
    await client.reads('slow\nquick\n');
  });

  it('with concurrency, has up to n messages in flight and answers in order', async () => {
    const gates = new Map<string, Deferred>();
    @Connection({ framing: lines(), concurrency: 3 })
    class Parallel {
      @OnData() async data(line: string) {
        journal.note(line);
        const gate = deferred();
        gates.set(line, gate);
        await gate.promise;
        if (line === 'b') throw new Error('b failed');
        return line;
      }
      @OnError() explain(error: Error) {
        return error.message;
      }
    }
    const client = await dial(Parallel);
    client.send('a\nb\nc\nd\ne\n');
    await turns();
    expect(journal.entries).to.deep.equal(['a', 'b', 'c']);
    gates.get('c')!.resolve();
    gates.get('b')!.resolve();
    await turns();
    expect(client.text).to.equal('');
    expect(journal.entries).to.deep.equal(['a', 'b', 'c']);
    gates.get('a')!.resolve();
    await client.reads('a\nb failed\nc\n');
    await turns();
    for (const line of ['e', 'd']) gates.get(line)!.resolve();
    await client.reads('a\nb failed\nc\nd\ne\n');
  });

  it('with ordered: false, lets replies leave as they come', async () => {
    const first = deferred();
    @Connection({ framing: lines(), concurrency: 2, ordered: false })
    class Loose {
      @OnData() async data(line: string) {
        if (line === 'first') await first.promise;
        return line;
      }
    }
    const client = await dial(Loose);
    client.send('first\nsecond\n');
    await client.reads('second\n');
    first.resolve();
    await client.reads('second\nfirst\n');
  });

  it('answers that come at once keep their place behind those that do not', async () => {
    const first = deferred();
    @Connection({ framing: lines(), concurrency: 3 })
    class Mixed {
      @OnData() data(line: string) {
        return line === 'first' ? first.promise.then(() => line) : line;
      }
    }
    const client = await dial(Mixed);
    client.send('first\nsecond\n');
    await turns();
    expect(client.text).to.equal('');
    first.resolve();
    await client.reads('first\nsecond\n');
  });

  describe('routing', () => {
    it('gives a message to the first @OnData whose schema accepts it, subclass before base', async () => {
      const framing = json();
      @Connection({ framing })
      class Base {
        @OnData(z.object({ op: z.literal('get') })) get() {
          return 'base get';
        }
        @OnData() rest() {
          return 'base rest';
        }
      }
      @Connection({ framing })
      class Derived extends Base {
        @OnData(z.object({ op: z.literal('put'), n: z.number().default(7) })) put({ n }: { n: number }) {
          return `put ${n}`;
        }
        @OnData(z.object({ op: z.literal('get'), key: z.string() })) keyed() {
          return 'derived get';
        }
      }
      const client = await dial(Derived);
      client.send('{"op":"put"}\n{"op":"get","key":"k"}\n{"op":"get"}\n[]\n');
      await client.reads('"put 7"\n"derived get"\n"base get"\n"base rest"\n');
    });

    it('takes a message that none accepts to @OnError with a BoundaryError', async () => {
      const seen: About[] = [];
      @Connection({ framing: json() })
      class Strict {
        @OnData(z.object({ n: z.number() })) n({ n }: { n: number }) {
          return n;
        }
        @OnError() explain(error: Error, about: About) {
          seen.push(about);
          return `${error.name}: ${error.message}`;
        }
      }
      const client = await dial(Strict);
      client.send('{"n":"x"}\n{"n":1}\n');
      await client.reads('\n1\n');
      expect(client.text).to.match(/^"BoundaryError: invalid message: n: /);
      expect(seen[0]).to.include({ during: 'schema' });
      expect(seen[0]!.message).to.deep.equal({ n: 'x' });
    });

    it('runs other hooks on all their methods in order, each after the one before', async () => {
      @Connection({ framing: lines() })
      class Several {
        @OnConnect() async one() {
          await turns();
          return 'one';
        }
        @OnConnect() two() {
          return 'two';
        }
        @OnConnect() async three() {
          return 'three';
        }
        @OnData() data() {
          return 'data';
        }
      }
      const client = await dial(Several);
      client.send('x\n');
      await client.reads('data\n');
      expect(client.text).to.equal('one\ntwo\nthree\ndata\n');
    });

    it('tells who sent it where a second parameter asks for it', async () => {
      @Connection({ framing: lines() })
      class Curious {
        @OnData() data(_: string, from: { url: string }) {
          return from.url;
        }
      }
      const client = await dial(Curious);
      client.send('x\n');
      await client.reads(client.transport.local.url);
    });
  });
});
