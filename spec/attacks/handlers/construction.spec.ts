import { expect } from 'chai';
import { Connection, inject, Module, OnConnect, Peer } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';
import { Events } from '../../kit/events.js';
import { Journal } from '../../kit/signals.js';
import { House } from '../support/house.js';
import { Boom, FAILURES, never } from '../support/victim.js';

const LOCAL = 'tcp://127.0.0.1:0';
const GRACEFUL = { graceful: true, connections: 0, calls: 0, workers: 0 };

describe('a constructor that throws', () => {
  it('closes that connection alone, is logged, and takes nobody’s place', async () => {
    using logged = new Events('connection.error');
    let calls = 0;
    @Connection({ listen: LOCAL, framing: lines(), maxConnections: 1 })
    class Fragile {
      constructor(@inject(Peer) peer: Peer<string, string>) {
        if (++calls > 3) return;
        // Whatever it has begun is over with it.
        peer.setIdleTimeout(1);
        peer.send('never sent');
        throw new Boom('not made');
      }
      @OnConnect() welcome(): string {
        return 'made';
      }
    }
    const house = await House.open([Fragile]);
    for (let i = 0; i < 3; i++) {
      const client = await house.connect(Fragile);
      expect(await client.all()).to.equal('');
      client.end();
    }
    expect(await (await house.connect(Fragile)).line()).to.equal('made');
    expect(logged.seen).to.have.length(3);
    expect(logged.seen[0]).to.include({ handler: 'Fragile', during: 'hook', hook: 'constructor' });
    await house.servesOthers();
  });

  it('leaves a peer behind that is closed', async () => {
    const peers: Peer<string, string>[] = [];
    @Connection({ listen: LOCAL, framing: lines() })
    class Fragile {
      constructor(@inject(Peer) peer: Peer<string, string>) {
        peers.push(peer);
        void peer.signal;
        throw new Boom('not made');
      }
    }
    const house = await House.open([Fragile]);
    const client = await house.connect(Fragile);
    await client.all();
    const [peer] = peers;
    expect(peer!.send('x')).to.equal(false);
    expect(peer!.signal.aborted).to.equal(true);
    expect(await peer!.flush().catch((error: Error) => error.name)).to.equal('ConnectionClosedError');
    expect(await peer!.pipe(peer!).catch((error: Error) => error.name)).to.equal('ConnectionClosedError');
    client.end();
    expect(await house.close()).to.deep.equal(GRACEFUL);
  });
});

/** A connection with two providers of its own: one whose end is noted, and one that fails. Together with that class. */
function besideFailing(told: Journal, Failing: new () => object) {
  class Sound {
    dispose(): void {
      told.note('disposed');
    }
  }
  @Connection({ listen: LOCAL, framing: lines() })
  class Uses {
    constructor(
      @inject(Sound) readonly sound: Sound,
      @inject(Failing) readonly failing: object,
    ) {}
  }
  const providers = [Sound, Failing].map(each => ({ token: each, useClass: each, scope: 'connection' as const }));
  return { Uses, providers };
}

describe('a provider of a connection', () => {
  it('that cannot be made closes that connection alone; those made before it are disposed of', async () => {
    const told = new Journal();
    class Fragile {
      constructor() {
        throw new Boom('not made');
      }
    }
    const { Uses, providers } = besideFailing(told, Fragile);
    const house = await House.open([Uses], { providers });
    const client = await house.connect(Uses);
    expect(await client.all()).to.equal('');
    client.end();
    await told.has('disposed');
    await house.servesOthers();
    expect(await house.close()).to.deep.equal(GRACEFUL);
  });

  for (const [how, fail] of Object.entries(FAILURES)) {
    it(`whose dispose() ${how.replace('answers', 'answered')} is logged, and the others are disposed of`, async () => {
      using logged = new Events('hook.error');
      const told = new Journal();
      class Fragile {
        dispose(): unknown {
          return fail();
        }
      }
      const { Uses, providers } = besideFailing(told, Fragile);
      const house = await House.open([Uses], { providers });
      const client = await house.connect(Uses);
      client.reset();
      await told.has('disposed');
      expect(logged.seen).to.have.length(1);
      expect(logged.seen[0]).to.include({ handler: 'Uses', hook: 'dispose' });
      await house.servesOthers();
      expect(await house.close()).to.deep.equal(GRACEFUL);
    });
  }

  it('whose dispose() never settles is waited for five seconds; then the others are disposed of', async () => {
    const told = new Journal();
    class Endless {
      dispose = never;
    }
    const { Uses, providers } = besideFailing(told, Endless);
    @Module({ connections: [Uses], providers })
    class AppModule {}
    await using app = await createTestApp(AppModule).start({ clock: 'fake' });
    const client = await app.connect(Uses);
    client.destroy();
    await app.clock.advance(4999);
    expect(told.entries).to.deep.equal([]);
    await app.clock.advance(1);
    expect(told.entries).to.deep.equal(['disposed']);
  });
});
