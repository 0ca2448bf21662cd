import { expect } from 'chai';
import { Connection } from '../../src/decorators/connection/connection.js';
import { OnConnect, OnData, OnError } from '../../src/decorators/connection/connection-hooks.js';
import { lengthPrefixed } from '../../src/framing/length-prefixed.js';
import { lines } from '../../src/framing/lines.js';
import { raw } from '../../src/framing/raw.js';
import { Peer } from '../../src/reactor/index.js';
import { FakeClock } from '../../src/testing/fake-clock.js';
import { rig, type Rig } from '../kit/reactor.js';
import { turns } from '../kit/signals.js';
import { WireClient } from '../kit/clients/wire-client.js';

describe('a peer', () => {
  let kit: Rig;
  let clock: FakeClock;
  beforeEach(() => (kit = rig((clock = new FakeClock(1_000_000)))));
  afterEach(() => kit.close());

  @Connection({ framing: lines() })
  class Plain {
    constructor(readonly peer: Peer<string, string>) {}
    @OnData() data(line: string) {
      return line;
    }
  }
  const dial = async (
    cls: Parameters<Rig['listen']>[0] = Plain,
    where?: 'tcp://127.0.0.1:0',
  ): Promise<{ client: WireClient; peer: Peer }> => {
    const client = await WireClient.connect((await kit.listen(cls, where)).address.url);
    client.send('');
    while (kit.made.length === 0) await turns(1);
    return { client, peer: (kit.made.at(-1) as Plain).peer };
  };

  it('counts bytes both ways, and tells since when it is open', async () => {
    for (const where of [undefined, 'tcp://127.0.0.1:0'] as const) {
      await clock.advance('1s');
      const { client, peer } = await dial(Plain, where);
      client.send('hällo\n');
      await client.reads('hällo\n');
      await peer.flush();
      expect([peer.bytesRead, peer.bytesWritten, peer.bufferedBytes]).to.deep.equal([7, 7, 0]);
      expect(peer.openedAt).to.deep.equal(new Date(clock.epoch()));
      client.destroy();
      await turns(10);
      kit.made.length = 0;
    }
  });

  it('says where both sides are, also when it is gone', async () => {
    const { client, peer } = await dial(Plain, 'tcp://127.0.0.1:0');
    const { remote, local } = client.transport;
    expect(peer.remote).to.deep.equal(local);
    expect(peer.local).to.deep.equal(remote);
    expect(peer.tls).to.equal(undefined);
    expect(peer.request).to.equal(undefined);
    client.destroy();
    while (!peer.signal.aborted) await turns(1);
    expect(peer.remote).to.deep.equal(local);
  });

  it('has a signal that is aborted when it is gone, also for who asks afterwards', async () => {
    const { client, peer } = await dial();
    expect(peer.signal.aborted).to.equal(false);
    client.destroy();
    await turns();
    expect(peer.signal.aborted).to.equal(true);
    const second = await dial();
    second.client.destroy();
    await turns();
    expect(second.peer.signal.aborted).to.equal(true);
    expect(second.peer.signal.reason).to.have.property('name', 'ConnectionClosedError');
  });

  it('send() after the end is false; flush() rejects', async () => {
    const { client, peer } = await dial();
    expect(peer.send('x')).to.equal(true);
    client.destroy();
    await turns();
    expect(peer.send('x')).to.equal(false);
    expect(await peer.flush().catch((error: Error) => error.name)).to.equal('ConnectionClosedError');
    peer.end();
    peer.destroy();
    peer.pause();
    peer.resume();
  });

  describe('setFraming()', () => {
    it('takes effect with the next message; bytes not yet decoded go to the new decoder', async () => {
      @Connection({ framing: lines() })
      class Upgrades {
        constructor(private readonly peer: Peer) {}
        @OnData() data(message: string | Buffer) {
          if (message === 'BINARY') this.peer.setFraming(lengthPrefixed({ bytes: 1 }));
          return message;
        }
      }
      const { client } = await dial(Upgrades);
      client.send('text\nBINARY\n\x03abc\x02');
      await client.reads('text\nBINARY\n\x03abc');
      client.send('de');
      await client.reads('text\nBINARY\n\x03abc\x02de');
    });

    it('what is sent after it is written in the new framing', async () => {
      @Connection({ framing: lines() })
      class Greets {
        constructor(private readonly peer: Peer) {}
        @OnConnect() connect() {
          this.peer.send('line');
          this.peer.setFraming(lengthPrefixed({ bytes: 1 }));
          this.peer.send(Buffer.from('abc'));
        }
        @OnData() data() {}
      }
      const { client } = await dial(Greets);
      await client.reads('line\n\x03abc');
    });

    it('outside of a handler, too: what has arrived is tried at once', async () => {
      @Connection({ framing: lines() })
      class Waits {
        constructor(readonly peer: Peer) {}
        @OnData() data(message: string | Buffer) {
          return message.length > 0 ? `got ${message.toString()}` : undefined;
        }
      }
      const { client, peer } = await dial(Waits);
      client.send('no end');
      while (peer.bytesRead < 6) await turns(1);
      peer.setFraming(raw());
      await client.reads('got no end');
    });

    it('throws with concurrency above 1', async () => {
      @Connection({ framing: lines(), concurrency: 2 })
      class Parallel {
        constructor(private readonly peer: Peer) {}
        @OnData() data() {
          this.peer.setFraming(lines());
        }
        @OnError() error(error: Error) {
          return error.name;
        }
      }
      const { client } = await dial(Parallel);
      client.send('x\n');
      await client.reads('UsageError\n');
    });
  });
});
