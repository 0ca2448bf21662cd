import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { OnConnect, OnData } from '../../../src/decorators/connection/connection-hooks.js';
import type { CloseReason } from '../../../src/decorators/hook-types.js';
import type { ConnectError } from '../../../src/errors.js';
import { lines } from '../../../src/framing/lines.js';
import { Backoff } from '../../../src/timing/backoff.js';
import { Peer, type Dialer } from '../../../src/reactor/index.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';
import { Events } from '../../kit/events.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { deferred, turns } from '../../kit/signals.js';
import { WireClient } from '../../kit/clients/wire-client.js';

@Connection({ framing: lines() })
class Server {
  constructor(readonly peer: Peer) {}
  @OnData() data(line: string) {
    return line;
  }
}

@Connection({ framing: lines() })
class Client {
  constructor(readonly peer: Peer) {}
  @OnData() data() {}
}

describe('a Dialer', () => {
  let kit: Rig;
  let clock: FakeClock;
  const seen: string[] = [];
  let names = 0;
  let url: 'memory:x';
  beforeEach(() => {
    kit = rig((clock = new FakeClock()));
    seen.length = 0;
    url = `memory:dialer-${++names}` as 'memory:x';
  });
  afterEach(() => kit.close());

  const watch = <H extends object>(dialer: Dialer<H>): Dialer<H> => {
    dialer.on('up', () => seen.push('up'));
    dialer.on('down', (why: CloseReason | ConnectError) => seen.push(why instanceof Error ? `down ${why.reason}` : `down by ${why.by}`));
    return dialer;
  };
  const reconnect = { jitter: false } as const;
  const leave = async (): Promise<void> => {
    (kit.made.findLast(each => each instanceof Server) as Server).peer.destroy();
    await turns();
  };

  it('logs what its listeners throw or reject with, and goes on', async () => {
    using logged = new Events('hook.error');
    await kit.listen(Server, url);
    const dialer = kit.reactor.dial(Client, url, { reconnect });
    dialer.on('up', () => {
      throw new Error('thrown');
    });
    dialer.on('up', async () => Promise.reject(new Error('rejected')));
    await turns();
    expect(dialer.state).to.equal('up');
    expect(logged.seen.map(({ hook, error }) => [hook, (error as Error).message])).to.deep.equal([
      ["dialer.on('up')", 'thrown'],
      ["dialer.on('up')", 'rejected'],
    ]);
  });

  it('lets go of its signal when it is closed', async () => {
    await kit.listen(Server, url);
    const control = new AbortController();
    for (let i = 0; i < 3; i++) await kit.reactor.dial(Client, url, { signal: control.signal }).close();
    expect(getEventListeners(control.signal, 'abort')).to.have.length(0);
  });

  it('goes connecting, up, waiting, connecting …, with a new instance per connection', async () => {
    await kit.listen(Server, url);
    const dialer = watch(kit.reactor.dial(Client, url, { reconnect }));
    expect(dialer.state).to.equal('connecting');
    expect(dialer.current).to.equal(undefined);
    await turns();
    expect(dialer.state).to.equal('up');
    const first = dialer.current;
    expect(first).to.be.instanceOf(Client);
    await leave();
    expect(dialer.state).to.equal('waiting');
    expect(dialer.current).to.equal(undefined);
    await clock.advance('1s');
    expect(dialer.state).to.equal('up');
    expect(dialer.current).to.not.equal(first);
    expect(seen).to.deep.equal(['up', 'down by peer', 'up']);
  });

  it('waits longer after each failure, and counts its attempts', async () => {
    const dialer = watch(kit.reactor.dial(Client, url, { reconnect: { delay: '1s', factor: 2, maxDelay: '5s', jitter: false } }));
    const at: number[] = [];
    dialer.on('down', () => at.push(clock.now()));
    await clock.advance('30s');
    expect(at).to.deep.equal([0, 1_000, 3_000, 7_000, 12_000, 17_000, 22_000, 27_000]);
    expect(dialer.attempts).to.equal(8);
    expect(seen[0]).to.equal('down refused');
    await kit.listen(Server, url);
    await clock.advance('5s');
    expect(dialer.state).to.equal('up');
  });

  it('the delay resets only after a healthy connection', async () => {
    await kit.listen(Server, url);
    const dialer = kit.reactor.dial(Client, url, { reconnect: { delay: '1s', factor: 2, jitter: false } });
    const waits: number[] = [];
    for (const upFor of [0, 0, 100, 10_000, 0]) {
      await turns();
      expect(dialer.state).to.equal('up');
      await clock.advance(upFor);
      await leave();
      const since = clock.now();
      while (dialer.state === 'waiting') await clock.advance(500);
      waits.push(clock.now() - since);
    }
    expect(waits).to.deep.equal([1_000, 2_000, 4_000, 1_000, 2_000]);
  });

  it('a handler that fails to connect counts as a failed attempt', async () => {
    let times = 0;
    @Connection({ framing: lines() })
    class Fails {
      @OnConnect() connect() {
        if (++times < 3) throw new Error('not yet');
      }
      @OnData() data() {}
    }
    await kit.listen(Server, url);
    const dialer = kit.reactor.dial(Fails, url, { reconnect });
    await clock.advance('10s');
    expect(dialer.state).to.equal('up');
    expect(times).to.equal(3);
  });

  it('nothing unsent from an old connection reaches a new one', async () => {
    await kit.listen(Server, url);
    const dialer = kit.reactor.dial(Client, url, { reconnect });
    await turns();
    const { peer } = dialer.current!;
    const server = kit.made.findLast(each => each instanceof Server) as Server;
    server.peer.pause();
    peer.send('x'.repeat(500_000));
    await leave();
    expect(peer.send('stale')).to.equal(false);
    await clock.advance('1s');
    const second = kit.made.findLast(each => each instanceof Server) as Server;
    expect(second).to.not.equal(server);
    await turns();
    expect(second.peer.bytesRead).to.equal(0);
  });

  it('close() ends the connection, dials no more, and resolves when it is closed', async () => {
    await kit.listen(Server, url);
    const dialer = watch(kit.reactor.dial(Client, url, { reconnect }));
    await turns();
    const closed = dialer.close();
    expect(dialer.state).to.equal('closed');
    expect(dialer.close()).to.equal(closed);
    await closed;
    await clock.advance('10m');
    expect(seen).to.deep.equal(['up']);
    expect(kit.made.filter(each => each instanceof Client)).to.have.length(1);
    expect(clock.pending).to.equal(0);
  });

  it('close() while waiting or connecting leaves nothing behind', async () => {
    const waiting = kit.reactor.dial(Client, url, { reconnect });
    await turns();
    expect(waiting.state).to.equal('waiting');
    await waiting.close();
    const connecting = kit.reactor.dial(Client, url, { reconnect });
    await connecting.close();
    await clock.advance('10m');
    expect(connecting.attempts).to.equal(1);
    expect(clock.pending).to.equal(0);
  });

  it('a signal closes it', async () => {
    const controller = new AbortController();
    const dialer = kit.reactor.dial(Client, url, { signal: controller.signal });
    controller.abort();
    expect(dialer.state).to.equal('closed');
    await dialer.close();
  });

  it('a listener that throws disturbs neither it nor other listeners', async () => {
    await kit.listen(Server, url);
    const dialer = kit.reactor.dial(Client, url, { reconnect });
    dialer.on('up', () => {
      throw new Error('listener');
    });
    const removed = watch(dialer).on('up', () => seen.push('never'));
    removed[Symbol.dispose]();
    await turns();
    expect(seen).to.deep.equal(['up']);
  });

  it('when the reactor stops listening, it leaves its connection to be drained and dials no more', async () => {
    await kit.listen(Server, url);
    const dialer = kit.reactor.dial(Client, url, { reconnect });
    await turns();
    await kit.core.stopListening();
    expect(dialer.state).to.equal('closed');
    expect(kit.reactor.connections(Client).count).to.equal(1);
    await kit.core.drain();
    await clock.advance('10m');
    expect(kit.reactor.connections().count).to.equal(0);
  });

  it('keeps dialling over tcp while the server comes and goes', async () => {
    const listening = await kit.listen(Server, 'tcp://127.0.0.1:0');
    const up = [deferred(), deferred()];
    let ups = 0;
    const dialer = kit.reactor.dial(Client, listening.address.url as 'tcp://127.0.0.1:1', { reconnect: { delay: 1, jitter: false } });
    dialer.on('up', () => up[ups++]?.resolve());
    const down = deferred();
    dialer.on('down', () => down.resolve());
    await up[0]!.promise;
    (kit.made.findLast(each => each instanceof Server) as Server).peer.destroy();
    await down.promise;
    await clock.advance('1m');
    await up[1]!.promise;
    const probe = await WireClient.connect(listening.address.url);
    probe.destroy();
  });
});

describe('Backoff', () => {
  const series = (backoff: Backoff, count: number): number[] => Array.from({ length: count }, () => backoff.next());

  it('grows by the factor up to maxDelay', () => {
    expect(series(new Backoff({ delay: 100, factor: 3, maxDelay: 1000, jitter: false }), 5)).to.deep.equal([100, 300, 900, 1000, 1000]);
  });

  it('with jitter, shortens each wait by up to a half', () => {
    expect(series(new Backoff({ delay: 100, factor: 2 }, () => 0.999999), 2).map(Math.round)).to.deep.equal([50, 100]);
    expect(series(new Backoff({ delay: 100, factor: 2 }, () => 0), 2)).to.deep.equal([100, 200]);
  });

  it('starts anew after a connection that lasted longer than the wait before it', () => {
    const backoff = new Backoff({ delay: 100, factor: 2, jitter: false });
    series(backoff, 3);
    expect(backoff.lasted(399)).to.equal(false);
    expect(backoff.next()).to.equal(800);
    expect(backoff.lasted(800)).to.equal(true);
    expect(backoff.next()).to.equal(100);
  });
});
