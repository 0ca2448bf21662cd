import { expect } from 'chai';
import type { Socket } from 'node:net';
import { Connection } from '../../src/decorators/connection/connection.js';
import { OnClose, OnConnect, OnData, OnEnd, OnError } from '../../src/decorators/connection/connection-hooks.js';
import type { Ctor } from '../../src/decorators/ctor.js';
import type { CloseReason } from '../../src/decorators/hook-types.js';
import { lines } from '../../src/framing/lines.js';
import { Peer } from '../../src/reactor/index.js';
import { FakeClock } from '../../src/testing/fake-clock.js';
import { rig, type Rig } from '../kit/reactor.js';
import { deferred, Journal, turns } from '../kit/signals.js';
import { WireClient } from '../kit/clients/wire-client.js';

describe('the end of a connection', () => {
  let kit: Rig;
  let clock: FakeClock;
  let journal: Journal;
  beforeEach(() => {
    kit = rig((clock = new FakeClock()));
    journal = new Journal();
  });
  afterEach(() => kit.close());

  const dial = async (cls: Ctor, options = {}, where?: 'tcp://127.0.0.1:0'): Promise<WireClient> =>
    WireClient.connect((await kit.listen(cls, where, options)).address.url);
  const told = ({ by, code, error }: CloseReason): string => `${by} ${code}${error ? ` ${error.message}` : ''}`;

  @Connection({ framing: lines() })
  class HalfCloses {
    constructor(peer: Peer) {
      peer.halfClose();
    }
    @OnData() data() {}
    @OnClose() closed(reason: CloseReason) {
      journal.note(told(reason));
    }
  }
  const halfCloses: Ctor = HalfCloses;

  describe('half-close is not leaving', () => {
    it('what was received before FIN is handled and answered, then it closes by peer', async () => {
      @Connection({ framing: lines() })
      class Slow {
        @OnData() async data(line: string) {
          await turns(3);
          return line.toUpperCase();
        }
        @OnClose() closed(reason: CloseReason) {
          journal.note(told(reason));
        }
      }
      for (const where of [undefined, 'tcp://127.0.0.1:0'] as const) {
        const client = await dial(Slow, {}, where);
        client.send('1+1\n2+2\nunterminated');
        client.end();
        expect(await client.readsAll()).to.equal('1+1\n2+2\nUNTERMINATED\n');
        await client.whenClosed();
        expect(client.error).to.equal(undefined);
      }
      await journal.has('peer END');
    });

    it('with allowHalfOpen it stays open for sending, and @OnEnd is called', async () => {
      @Connection({ framing: lines(), allowHalfOpen: true })
      class HalfOpen {
        constructor(private readonly peer: Peer) {}
        @OnData() data(line: string) {
          return line;
        }
        @OnEnd() ended() {
          journal.note('end');
        }
        later() {
          this.peer.send('still here');
          this.peer.end();
        }
        @OnClose() closed(reason: CloseReason) {
          journal.note(told(reason));
        }
      }
      const client = await dial(HalfOpen);
      client.send('a\n');
      client.end();
      await client.reads('a\n');
      await clock.advance('10m');
      expect(journal.entries).to.deep.equal(['end']);
      (kit.made[0] as HalfOpen).later();
      expect(await client.readsAll()).to.equal('a\nstill here\n');
      await journal.has('local END');
    });

    it('a reset is leaving at once: the signal aborts, and it closes by peer', async () => {
      @Connection({ framing: lines() })
      class Calls {
        constructor(private readonly peer: Peer) {}
        @OnData() data() {
          journal.note('called');
          return new Promise((_, reject) => this.peer.signal.addEventListener('abort', () => reject(this.peer.signal.reason)));
        }
        @OnError() error() {
          journal.note('error');
        }
        @OnClose() closed({ by, code }: CloseReason) {
          journal.note(`${by} ${code}`);
        }
      }
      const client = await dial(Calls);
      client.send('x\n');
      await journal.has('called');
      client.destroy();
      await journal.has('peer ECONNRESET');
      expect(journal.entries).to.deep.equal(['called', 'peer ECONNRESET']);
    });
  });

  describe('end()', () => {
    it('sends what is due, then its message, then finishes; nothing more is read', async () => {
      @Connection({ framing: lines() })
      class Ends {
        constructor(private readonly peer: Peer) {}
        @OnData() async data(line: string) {
          journal.note(line);
          this.peer.end('bye');
          journal.note(String(this.peer.send('not taken')));
          await turns();
          return `due ${line}`;
        }
        @OnClose() closed(reason: CloseReason) {
          journal.note(told(reason));
        }
      }
      const client = await dial(Ends);
      client.send('a\nb\n');
      expect(await client.readsAll()).to.equal('due a\nbye\n');
      client.send('c\n');
      client.end();
      await journal.has('local END');
      expect(journal.entries).to.deep.equal(['a', 'false', 'local END']);
    });

    it('in a handler that answers at once, waits for that answer', async () => {
      @Connection({ framing: lines() })
      class Sync {
        constructor(private readonly peer: Peer) {}
        @OnData() data(line: string) {
          this.peer.end('bye');
          return line;
        }
      }
      const client = await dial(Sync);
      client.send('a\nb\n');
      expect(await client.readsAll()).to.equal('a\nbye\n');
    });

    it('in the constructor or @OnConnect, ends it then', async () => {
      @Connection({ framing: lines() })
      class InConstructor {
        constructor(peer: Peer) {
          peer.send('hello');
          peer.end('bye');
        }
        @OnData() data() {}
      }
      @Connection({ framing: lines() })
      class InConnect {
        constructor(private readonly peer: Peer) {}
        @OnConnect() async connected() {
          this.peer.end('bye');
          await turns();
          return 'hello';
        }
        @OnData() data() {}
      }
      for (const cls of [InConstructor, InConnect]) expect(await (await dial(cls)).readsAll()).to.equal('hello\nbye\n');
    });

    it('throws for a message that cannot be encoded, and does not end it', async () => {
      @Connection({ framing: lines() })
      class Wrong {
        constructor(private readonly peer: Peer) {}
        @OnData() data(line: string) {
          if (line === 'end') this.peer.end('two\nlines');
          return line;
        }
        @OnError() error(error: Error) {
          return error.name;
        }
      }
      const client = await dial(Wrong);
      client.send('end\nalive\n');
      await client.reads('EncodeError\nalive\n');
    });

    it('a peer that does not finish after us is destroyed after halfCloseGrace', async () => {
      @Connection({ framing: lines() })
      class Impatient {
        constructor(private readonly peer: Peer) {}
        @OnData() data() {
          this.peer.end();
        }
        @OnClose() closed(reason: CloseReason) {
          journal.note(told(reason));
        }
      }
      const client = await dial(Impatient);
      client.send('x\n');
      await client.readsAll();
      await clock.advance('4s');
      expect(journal.entries).to.deep.equal([]);
      await clock.advance('2s');
      expect(journal.entries).to.deep.equal(['local END']);
    });
  });

  describe('halfClose()', () => {
    for (const where of [undefined, 'tcp://127.0.0.1:0'] as const) {
      /** Asks twice, half-closes, and is in no hurry to handle the answers. */
      const asker = (gate: Promise<unknown>): Ctor => {
        @Connection({ framing: lines() })
        class Asks {
          constructor(private readonly peer: Peer<string, string>) {}
          @OnConnect() ask() {
            this.peer.send('one');
            this.peer.halfClose();
            return 'two';
          }
          @OnData() async data(line: string) {
            await gate;
            journal.note(line);
            if (line === 'DESTROY') this.peer.destroy();
            return 'nobody hears this';
          }
          @OnClose() closed(reason: CloseReason) {
            journal.note(told(reason));
          }
        }
        return Asks;
      };

      it(`sends what is due, then the end; what the peer says then is handled to its end, by ${where ?? 'memory'}`, async () => {
        const gate = deferred();
        const client = await dial(asker(gate.promise), {}, where);
        expect(await client.readsAll()).to.equal('one\ntwo\n');
        // However long the peer takes.
        await clock.advance('1h');
        client.send('a\nb\n');
        client.send('c');
        client.end();
        await client.whenClosed();
        await turns();
        expect(journal.entries).to.deep.equal([]);
        gate.resolve();
        await journal.has('peer END');
        expect(journal.entries).to.deep.equal(['a', 'b', 'c', 'peer END']);
        expect(client.text).to.equal('one\ntwo\n');
      });

      it(`destroy() while it is still handling what came closes at once, by ${where ?? 'memory'}`, async () => {
        const gate = deferred();
        const client = await dial(asker(gate.promise), {}, where);
        await client.readsAll();
        client.send('DESTROY\nnever\n');
        client.end();
        await client.whenClosed();
        await turns();
        gate.resolve();
        await journal.has('local DESTROY');
        expect(journal.entries).to.deep.equal(['DESTROY', 'local DESTROY']);
      });
    }

    it('a reset afterwards is the end', async () => {
      const client = await dial(halfCloses, {}, 'tcp://127.0.0.1:0');
      await client.readsAll();
      (client.transport.raw as Socket).resetAndDestroy();
      await journal.has('peer ECONNRESET read ECONNRESET');
    });

    it('the application that closes does not wait for it longer than for others', async () => {
      const client = await dial(halfCloses);
      await client.readsAll();
      const closing = kit.reactor.close();
      await turns();
      await clock.advance('3s');
      await closing;
      expect(journal.entries).to.deep.equal(['shutdown SHUTDOWN']);
    });
  });

  describe('destroy()', () => {
    it('closes at once, keeps its error, and later answers are dropped', async () => {
      const late = deferred();
      @Connection({ framing: lines() })
      class Destroys {
        constructor(private readonly peer: Peer) {}
        @OnData() async data() {
          this.peer.destroy(new Error('enough'));
          journal.note(String(this.peer.send('x')));
          await late.promise;
          journal.note('handler');
          return 'dropped';
        }
        @OnClose() closed(reason: CloseReason) {
          journal.note(told(reason));
        }
      }
      const client = await dial(Destroys);
      client.send('x\n');
      await client.whenClosed();
      expect(client.text).to.equal('');
      late.resolve();
      await journal.has('local DESTROY enough');
      expect(journal.entries).to.deep.equal(['false', 'handler', 'local DESTROY enough']);
    });
  });

  it('@OnClose is called exactly once, for the first reason', async () => {
    @Connection({ framing: lines() })
    class Once {
      constructor(private readonly peer: Peer) {}
      @OnData() data(line: string) {
        this.peer.end();
        this.peer.destroy();
        throw new Error(line);
      }
      @OnClose() closed(reason: CloseReason) {
        journal.note(told(reason));
      }
    }
    const client = await dial(Once);
    client.send('x\n');
    client.destroy();
    await turns(10);
    await clock.advance('1m');
    kit.core.destroy();
    await turns(10);
    expect(journal.entries).to.have.length(1);
  });

  it('@OnClose sees the signal aborted, and what was made for the connection is disposed after it', async () => {
    @Connection({ framing: lines() })
    class Disposed {
      constructor(private readonly peer: Peer) {}
      @OnData() data() {}
      @OnClose() async closed() {
        journal.note(`aborted ${this.peer.signal.aborted}`);
        await turns();
        journal.note('closed');
      }
      dispose() {
        journal.note('disposed');
      }
    }
    const client = await dial(Disposed);
    client.destroy();
    await journal.has('disposed');
    expect(journal.entries).to.deep.equal(['aborted true', 'closed', 'disposed']);
  });

  it('a class without @OnData that nobody pipes closes when the peer finishes', async () => {
    @Connection({ framing: lines() })
    class Announces {
      @OnConnect() hello() {
        return 'hello';
      }
      @OnClose() closed(reason: CloseReason) {
        journal.note(told(reason));
      }
    }
    const client = await dial(Announces);
    await client.reads('hello\n');
    client.end();
    await journal.has('peer END');
  });
});
