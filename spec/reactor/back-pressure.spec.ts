import { expect } from 'chai';
import { Connection } from '../../src/decorators/connection/connection.js';
import { OnConnect, OnData } from '../../src/decorators/connection/connection-hooks.js';
import type { Ctor } from '../../src/decorators/ctor.js';
import { lines } from '../../src/framing/lines.js';
import type { Framing } from '../../src/framing/framing.js';
import { Peer } from '../../src/reactor/index.js';
import { rig, type Rig } from '../kit/reactor.js';
import { deferred, turns } from '../kit/signals.js';
import { WireClient } from '../kit/clients/wire-client.js';

describe('back-pressure', () => {
  let kit: Rig;
  beforeEach(() => (kit = rig()));
  afterEach(() => kit.close());
  const dial = async (cls: Ctor, where?: 'tcp://127.0.0.1:0'): Promise<WireClient> =>
    WireClient.connect((await kit.listen(cls, where)).address.url);

  it('nothing is decoded ahead: the decoder is asked for one message when there is room to handle it', async () => {
    let asked = 0;
    const inner = lines();
    const framing: Framing<string> = {
      ...inner,
      decoder: limit => {
        const decoder = inner.decoder(limit);
        return {
          push: chunk => decoder.push(chunk),
          next: () => {
            const message = decoder.next();
            if (message !== undefined) asked++;
            return message;
          },
          rest: () => decoder.rest(),
        };
      },
    };
    let gate = deferred();
    @Connection({ framing })
    class OneByOne {
      @OnData() async data(line: string) {
        await gate.promise;
        return line;
      }
    }
    const client = await dial(OneByOne);
    client.send('1\n2\n3\n');
    await turns();
    expect(asked).to.equal(1);
    const first = gate;
    gate = deferred();
    first.resolve();
    await client.reads('1\n');
    await turns();
    expect(asked).to.equal(2);
    gate.resolve();
    await client.reads('3\n');
  });

  for (const where of [undefined, 'tcp://127.0.0.1:0'] as const) {
    it(`while a handler runs, undecoded bytes are read up to the high mark, then the ${where ? 'socket' : 'memory'} pauses`, async () => {
      const gate = deferred();
      @Connection({ framing: lines({ maxLength: '1mb' }) })
      class Blocked {
        constructor(readonly peer: Peer) {}
        @OnData() async data(line: string) {
          await gate.promise;
          return String(line.length);
        }
      }
      const client = await dial(Blocked, where);
      client.send('first\n');
      const line = `${'x'.repeat(999)}\n`;
      let written = 6;
      // Until the buffers between are full, whatever the system gives them.
      while (client.transport.bufferedBytes < 1_000_000) {
        client.send(line.repeat(100));
        written += 100_000;
        await turns(1);
      }
      const { peer } = kit.made[0] as Blocked;
      const stopped = peer.bytesRead;
      await turns(50);
      expect(peer.bytesRead).to.equal(stopped);
      expect(stopped).to.be.within(64 * 1024, 256 * 1024);
      gate.resolve();
      await client.when(() => client.length >= 2 + ((written - 6) / 1000) * 4);
      expect(peer.bytesRead).to.equal(written);
    });
  }

  it('a dribble of single bytes does not fill the memory with chunks', async () => {
    const gate = deferred();
    @Connection({ framing: lines() })
    class Blocked {
      constructor(readonly peer: Peer) {}
      @OnData() async data(line: string) {
        await gate.promise;
        return line;
      }
    }
    const client = await dial(Blocked);
    client.send('first\n');
    await turns();
    for (let i = 0; i < 2_000; i++) client.send('x');
    await turns();
    const { peer } = kit.made[0] as Blocked;
    expect(peer.bytesRead).to.be.lessThan(6 + (64 * 1024) / 256 + 2_000);
    client.send('\n');
    gate.resolve();
    await client.reads(`first\n${'x'.repeat(2_000)}\n`);
  });

  it('a peer that does not read what it is answered is not read either: both sides stay bounded', async () => {
    @Connection({ framing: lines({ maxLength: '1mb' }) })
    class Echo {
      constructor(readonly peer: Peer) {}
      @OnData() data(line: string) {
        return line;
      }
    }
    const client = await dial(Echo);
    client.transport.pause();
    const chunk = `${'x'.repeat(9_999)}\n`.repeat(10);
    let sent = 0;
    while (client.transport.bufferedBytes === 0) {
      client.send(chunk);
      sent += chunk.length;
      await turns(1);
    }
    await turns(50);
    const { peer } = kit.made[0] as Echo;
    expect(peer.bufferedBytes).to.be.lessThan(64 * 1024 + 200_000);
    expect(peer.congested).to.equal(true);
    client.transport.resume();
    await client.when(() => client.length === sent);
    expect(client.text).to.equal(chunk.repeat(sent / chunk.length));
  });

  it('pause() stops reading and handling at once, also within a chunk; resume() goes on', async () => {
    const seen: string[] = [];
    @Connection({ framing: lines() })
    class Pauses {
      constructor(readonly peer: Peer) {}
      @OnData() data(line: string) {
        seen.push(line);
        if (line === '2') this.peer.pause();
      }
    }
    const client = await dial(Pauses);
    client.send('1\n2\n3\n');
    await turns();
    client.send('4\n');
    await turns();
    expect(seen).to.deep.equal(['1', '2']);
    const { peer } = kit.made[0] as Pauses;
    expect(peer.bytesRead).to.equal(6);
    peer.resume();
    expect(seen).to.deep.equal(['1', '2']);
    await turns();
    expect(seen).to.deep.equal(['1', '2', '3', '4']);
  });

  it('nobody takes more than a share of a turn: a flood on one connection lets others through', async () => {
    const seen: string[] = [];
    @Connection({ framing: lines({ maxLength: '1mb' }) })
    class Shares {
      @OnData() data(line: string) {
        seen.push(line);
      }
    }
    const { address } = await kit.listen(Shares);
    const flood = await WireClient.connect(address.url);
    const single = await WireClient.connect(address.url);
    flood.send('f\n'.repeat(10_000));
    await turns(1);
    single.send('single\n');
    while (seen.length < 10_001) await turns(1);
    expect(seen.indexOf('single')).to.be.lessThan(1_000);
  });

  it('the same for handlers that answer with a promise', async () => {
    const seen: string[] = [];
    @Connection({ framing: lines({ maxLength: '1mb' }) })
    class Shares {
      @OnData() async data(line: string) {
        seen.push(line);
      }
    }
    const { address } = await kit.listen(Shares);
    const flood = await WireClient.connect(address.url);
    const single = await WireClient.connect(address.url);
    flood.send('f\n'.repeat(10_000));
    await turns(1);
    single.send('single\n');
    while (seen.length < 10_001) await turns(1);
    expect(seen.indexOf('single')).to.be.lessThan(1_000);
  });

  it('a slow handler gives up its turn sooner', async () => {
    const seen: string[] = [];
    @Connection({ framing: lines() })
    class Slow {
      @OnData() data(line: string) {
        seen.push(line);
        const until = performance.now() + (line === 'f' ? 1 : 0);
        while (performance.now() < until);
      }
    }
    const { address } = await kit.listen(Slow);
    const flood = await WireClient.connect(address.url);
    const single = await WireClient.connect(address.url);
    flood.send('f\n'.repeat(120));
    await turns(1);
    single.send('single\n');
    while (seen.length < 121) await turns(1);
    expect(seen.indexOf('single')).to.be.lessThan(60);
  });

  it('messages are not handled while @OnConnect has not settled, and their bytes are bounded', async () => {
    const gate = deferred();
    @Connection({ framing: lines({ maxLength: '1mb' }) })
    class Opening {
      constructor(readonly peer: Peer) {}
      @OnConnect() connect() {
        return gate.promise;
      }
      @OnData() data(line: string) {
        return String(line.length);
      }
    }
    const client = await dial(Opening);
    for (let i = 0; i < 10; i++) client.send(`${'x'.repeat(49_999)}\n`);
    await turns(20);
    expect((kit.made[0] as Opening).peer.bytesRead).to.be.within(64 * 1024, 200_000);
    gate.resolve();
    await client.reads('49999\n'.repeat(10));
  });
});
