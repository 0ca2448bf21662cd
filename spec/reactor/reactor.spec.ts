import { expect } from 'chai';
import { Connection } from '../../src/decorators/connection/connection.js';
import { OnClose, OnConnect, OnData, OnShutdown } from '../../src/decorators/connection/connection-hooks.js';
import type { CloseReason } from '../../src/decorators/hook-types.js';
import { json } from '../../src/framing/json.js';
import { lines } from '../../src/framing/lines.js';
import type { Framing } from '../../src/framing/framing.js';
import { Peer } from '../../src/reactor/index.js';
import { UsageError } from '../../src/errors.js';
import { FakeClock } from '../../src/testing/fake-clock.js';
import { Events } from '../kit/events.js';
import { rig, type Rig } from '../kit/reactor.js';
import { deferred, Journal, turns } from '../kit/signals.js';
import { WireClient } from '../kit/clients/wire-client.js';

describe('a reactor', () => {
  let kit: Rig;
  let clock: FakeClock;
  let journal: Journal;
  beforeEach(() => {
    kit = rig((clock = new FakeClock()));
    journal = new Journal();
  });
  afterEach(() => kit.close());

  @Connection({ framing: lines() })
  class Member {
    constructor(readonly peer: Peer) {}
    @OnConnect() connect() {
      return 'welcome';
    }
    @OnData() data(line: string) {
      kit.reactor.broadcast(Member, line, { except: this.peer });
    }
  }
  @Connection({ framing: lines() })
  class Guest extends Member {}
  @Connection({ framing: json() })
  class Other {
    @OnData() data(value: unknown) {
      return value;
    }
  }
  const join = async (url: string): Promise<WireClient> => {
    const client = await WireClient.connect(url);
    await client.reads('welcome\n');
    return client;
  };

  describe('connections()', () => {
    it('are those of a class and its subclasses, or all; they are gone when they close', async () => {
      const urls = await Promise.all([Member, Guest, Other].map(async cls => (await kit.listen(cls)).address.url));
      const clients = [await join(urls[0]!), await join(urls[1]!), await WireClient.connect(urls[2]!)];
      await turns();
      const { reactor } = kit;
      expect([reactor.connections(Member).count, reactor.connections(Guest).count, reactor.connections().count]).to.deep.equal([2, 1, 3]);
      const handlers = [...reactor.connections(Member)].map(({ handler, peer }) => handler.peer === peer);
      expect(handlers).to.deep.equal([true, true]);
      const counted = reactor.connections();
      clients[0]!.destroy();
      await turns();
      expect(counted.count).to.equal(2);
    });

    it('have ids that are never reused', async () => {
      const { address } = await kit.listen(Member);
      const ids = new Set<string>();
      for (let i = 0; i < 20; i++) {
        const client = await join(address.url);
        ids.add((kit.made.at(-1) as Member).peer.id);
        client.destroy();
        await turns(2);
      }
      expect(ids.size).to.equal(20);
    });
  });

  describe('broadcast()', () => {
    it('reaches every connection of a class and its subclasses, except one', async () => {
      const urls = await Promise.all([Member, Guest, Other].map(async cls => (await kit.listen(cls)).address.url));
      const clients = [await join(urls[0]!), await join(urls[0]!), await join(urls[1]!)];
      const other = await WireClient.connect(urls[2]!);
      clients[0]!.send('hello all\n');
      await clients[1]!.reads('welcome\nhello all\n');
      await clients[2]!.reads('welcome\nhello all\n');
      await turns();
      expect([clients[0]!.text, other.text]).to.deep.equal(['welcome\n', '']);
      const handler = [...kit.reactor.connections(Member)][1]!.handler;
      kit.reactor.broadcast(Member, 'but one', { except: handler });
      await clients[0]!.reads('but one\n');
      await turns();
      expect(clients[1]!.text).to.not.include('but one');
    });

    it('encodes once for all that speak the same', async () => {
      let encoded = 0;
      const inner = lines();
      const framing: Framing<string> = {
        ...inner,
        encode: message => {
          encoded++;
          return inner.encode(message);
        },
      };
      @Connection({ framing })
      class Counted {
        @OnData() data() {}
      }
      const { address } = await kit.listen(Counted);
      const clients = await Promise.all([1, 2, 3].map(() => WireClient.connect(address.url)));
      await turns();
      kit.reactor.broadcast(Counted, 'x');
      for (const client of clients) await client.reads('x\n');
      expect(encoded).to.equal(1);
    });

    it('waits for nobody: one that does not read stays bounded, the others get everything', async () => {
      using limited = new Events('connection.limit');
      const { address } = await kit.listen(Member, undefined, { maxBufferedBytes: '1mb' });
      const frozen = await join(address.url);
      const clients = await Promise.all([1, 2, 3].map(() => join(address.url)));
      frozen.transport.pause();
      for (let i = 0; i < 300; i++) {
        kit.reactor.broadcast(Member, 'x'.repeat(9_999));
        await turns(1);
      }
      for (const client of clients) await client.when(() => client.length === 'welcome\n'.length + 3_000_000);
      expect(limited.seen).to.have.length(1);
      expect(limited.seen[0]).to.include({ limit: 'maxBufferedBytes' });
    });

    it('goes to the base of connection classes, decorated or not, and refuses what can have no connections', async () => {
      class Base {
        @OnData() data() {}
      }
      @Connection({ framing: lines() })
      class Decorated extends Base {}
      const { address } = await kit.listen(Decorated);
      const client = await WireClient.connect(address.url);
      await turns();
      kit.reactor.broadcast(Base, 'x');
      await client.reads('x\n');
      class Undecorated {}
      const broadcast = (to: unknown) => () => kit.reactor.broadcast(to as typeof Base, 'x');
      expect(broadcast(Undecorated)).to.throw(UsageError, 'Undecorated is no connection class, nor the base of one: decorate it');
      expect(broadcast(undefined)).to.throw(UsageError, 'modules may import each other in a circle');
      await turns();
      expect(client.text).to.equal('x\n');
      client.destroy();
    });

    it('throws what cannot be encoded', async () => {
      const client = await join((await kit.listen(Member)).address.url);
      expect(() => kit.reactor.broadcast(Member, 'two\nlines')).to.throw(/Member cannot encode/);
      client.destroy();
    });
  });

  it('nextTick runs in the next turn, in order; what it throws is logged and stops nothing', async () => {
    using logged = new Events('hook.error');
    const seen: string[] = [];
    kit.reactor.nextTick(() => {
      seen.push('first');
      kit.reactor.nextTick(() => seen.push('turn after'));
      throw new Error('first failed');
    });
    kit.reactor.nextTick(async () => {
      seen.push('second');
      throw new Error('second failed');
    });
    await Promise.resolve();
    expect(seen).to.deep.equal([]);
    await turns(3);
    expect(seen).to.deep.equal(['first', 'second', 'turn after']);
    expect(logged.seen).to.have.length(2);
  });

  it('every and after run until they are cancelled', async () => {
    const timer = kit.reactor.every('1s', () => journal.note('every'));
    kit.reactor.after('1500ms', () => timer.cancel());
    await clock.advance('10s');
    expect(journal.entries).to.deep.equal(['every']);
  });

  describe('closing', () => {
    it('runs @OnShutdown on each connection, sends its answer, ends, and closes by shutdown', async () => {
      @Connection({ framing: lines() })
      class Polite {
        @OnData() data(line: string) {
          return line;
        }
        @OnShutdown() bye() {
          return 'closing';
        }
        @OnClose() closed({ by, code }: CloseReason) {
          journal.note(`${by} ${code}`);
        }
      }
      const client = await WireClient.connect((await kit.listen(Polite)).address.url);
      await turns();
      const closed = kit.reactor.close();
      expect(await client.readsAll()).to.equal('closing\n');
      client.end();
      await closed;
      expect(journal.entries).to.deep.equal(['shutdown SHUTDOWN']);
      expect(kit.reactor.close()).to.equal(closed);
    });

    it('a promise of @OnShutdown keeps that connection going until it settles; then reading stops and what is decoded is answered', async () => {
      const farewell = deferred();
      const work = deferred();
      @Connection({ framing: lines() })
      class Lingers {
        @OnData() async data(line: string) {
          journal.note(line);
          if (line === 'slow') await work.promise;
          return line;
        }
        @OnShutdown() async bye() {
          await farewell.promise;
          return 'bye';
        }
      }
      const client = await WireClient.connect((await kit.listen(Lingers)).address.url);
      await turns();
      const drained = kit.core.drain();
      await turns();
      client.send('still served\n');
      await client.reads('still served\n');
      client.send('slow\nnot any more\n');
      await turns();
      farewell.resolve();
      await client.reads('bye\n');
      work.resolve();
      expect(await client.readsAll()).to.equal('still served\nbye\nslow\n');
      client.end();
      await drained;
      expect(journal.entries).to.deep.equal(['still served', 'slow']);
    });

    it('gives a peer 2 s to finish, then destroys it', async () => {
      await WireClient.connect((await kit.listen(Other)).address.url);
      await turns();
      let done = false;
      void kit.core.drain().then(() => (done = true));
      await clock.advance('1900ms');
      expect(done).to.equal(false);
      await clock.advance('200ms');
      expect(done).to.equal(true);
    });

    it('past the deadline, destroy() closes the rest and says how many that were', async () => {
      @Connection({ framing: lines() })
      class Stuck {
        @OnData() data() {
          return new Promise(() => {});
        }
      }
      const { address } = await kit.listen(Stuck);
      for (let i = 0; i < 3; i++) (await WireClient.connect(address.url)).send('x\n');
      await turns();
      const drained = kit.core.drain();
      await clock.advance('1m');
      expect(kit.core.busy).to.equal(3);
      expect(kit.core.destroy()).to.equal(3);
      await clock.advance('5s');
      await drained;
      expect(kit.core.busy).to.equal(0);
    });

    it('waits for @OnClose that answers late', async () => {
      const gate = deferred();
      @Connection({ framing: lines() })
      class Late {
        @OnData() data() {}
        @OnClose() async closed() {
          await gate.promise;
          journal.note('closed');
        }
      }
      const client = await WireClient.connect((await kit.listen(Late)).address.url);
      await turns();
      client.end();
      const drained = kit.core.drain().then(() => journal.note('drained'));
      await turns();
      gate.resolve();
      await drained;
      expect(journal.entries).to.deep.equal(['closed', 'drained']);
    });
  });
});
