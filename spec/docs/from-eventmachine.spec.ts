import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  type App,
  bootstrap,
  type CloseReason,
  type ConnectError,
  Connection,
  Every,
  Module,
  OnClose,
  OnConnect,
  OnData,
  OnDrain,
  OnEnd,
  OnError,
  OnIdle,
  OnStop,
  Peer,
  type Reactor,
  type Remote,
} from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { Journal } from '../kit/signals.js';
import { waitFor } from '../kit/index.js';

/** Each line of docs/from-eventmachine.md that names this file stands here, and runs. spec/docs/pages.spec.ts compares them. */
let journal = new Journal();

@Connection({ framing: lines(), idleTimeout: '10s', keepAlive: '1m', allowHalfOpen: true })
class Echo {
  constructor(readonly peer: Peer<string, string>) {
    journal.note('constructor');
  }
  @OnConnect() connected() {
    return 'hello';
  }
  @OnData() receive(line: string) {
    if (line === 'fail') throw new Error('no');
    if (line === 'pages') return this.pages();
    return line;
  }
  async *pages() {
    for (const page of [1, 2, 3]) yield `page ${page}`;
  }
  @OnError() explain(error: Error) {
    return `sorry: ${error.message}`;
  }
  @OnEnd() end() {
    this.peer.end('bye');
  }
  @OnIdle() idle() {
    return 'still there?';
  }
  @OnDrain() drained() {
    journal.note('drained');
  }
  @Every('10ms') beat() {
    journal.note('beat');
  }
  @OnClose() closed({ by, code, error }: CloseReason) {
    journal.note(`closed by ${by} ${code} ${error?.message ?? 'without an error'}`);
  }
}

@Connection({ framing: lines(), connectTimeout: '10s' })
class Client {
  constructor(readonly peer: Peer<string, string, { topic?: string }>) {}
  @OnData() receive(line: string) {
    journal.note(`client: ${line}`);
  }
}

class Hooks {
  @OnStop() stop() {
    journal.note('stopped');
  }
}

@Module({ providers: [Hooks] })
class AppModule {}

describe('what users of EventMachine look for:', () => {
  let app: App;
  let reactor: Reactor;
  let folder: string;
  beforeEach(async () => {
    journal = new Journal();
    folder = mkdtempSync(join(tmpdir(), 'packet-'));
    app = await bootstrap(AppModule, { logger: false, signals: false, uncaught: 'log' });
    reactor = app.reactor;
  });
  afterEach(async () => {
    await app.close();
    rmSync(folder, { recursive: true });
  });
  /** Both ends of a connection. */
  const pair = async (): Promise<{ client: Client; server: Echo }> => {
    const listening = await reactor.listen(Echo, 'tcp://127.0.0.1:0');
    const client = await reactor.connect(Client, listening.address.url as 'tcp://x');
    await journal.has('client: hello');
    return { client, server: [...reactor.connections(Echo)].at(-1)!.handler };
  };

  it('the reactor', async () => {
    expect(app.describe()).to.contain('Reactor');
    const { client } = await pair();
    expect(reactor.connections(Echo).count).to.equal(1);
    client.peer.send('fail');
    await journal.has('client: sorry: no');
    const { graceful } = await app.close();
    expect(graceful).to.equal(true);
    expect(journal.entries.at(-1)).to.equal('stopped');
  });

  it('next_tick, schedule, tick_loop', async () => {
    const order: string[] = [];
    let ticks = 0;
    const loop = (): void => {
      if (++ticks < 3) reactor.nextTick(loop);
      else order.push('looped');
    };
    reactor.nextTick(() => order.push('next'));
    queueMicrotask(() => order.push('soon'));
    reactor.nextTick(loop);
    await waitFor(() => order.length === 3);
    expect(order).to.deep.equal(['soon', 'next', 'looped']);
  });

  it('timers', async () => {
    reactor.after('5ms', () => journal.note('once'));
    const timer = reactor.every('5ms', () => journal.note('again'));
    await journal.has('once');
    await waitFor(() => journal.entries.filter(entry => entry === 'again').length >= 3);
    timer.cancel();
    const count = journal.entries.length;
    reactor.after('20ms', () => journal.note('later'));
    await journal.has('later');
    expect(journal.entries.slice(count)).to.deep.equal(['later']);
  });

  it('servers and clients', async () => {
    const listening = await reactor.listen(Echo, 'tcp://127.0.0.1:0');
    const url = listening.address.url as `tcp://${string}`;
    const client = await reactor.connect(Client, url, { data: { topic: 'news' } });
    await journal.has('client: hello');
    await reactor.listen(Echo, `unix:${folder}/app.sock`);
    await reactor.connect(Client, `unix:${folder}/app.sock`);
    const dialer = reactor.dial(Client, url, { reconnect: { delay: '1s', maxDelay: '60s' } });
    await waitFor(() => dialer.state === 'up');
    await listening.suspend();
    await listening.resume();
    await listening.close();
    const error = await reactor.connect(Client, url).catch((refused: ConnectError) => refused);
    expect((error as ConnectError).reason).to.equal('refused');
    const { address, port } = client.peer.remote;
    expect([address, port]).to.deep.equal(['127.0.0.1', listening.address.port]);
    expect(client.peer.local.port).to.be.a('number');
    expect(client.peer.data).to.deep.equal({ topic: 'news' });
    expect(client.peer.id).to.be.a('string');
    await dialer.close();
  });

  it('a connection', async () => {
    const { client, server } = await pair();
    expect(journal.entries[0]).to.equal('constructor');
    const { peer } = client;
    peer.send('one');
    await journal.has('client: one');
    peer.pause();
    peer.resume();
    peer.setIdleTimeout('1m');
    expect(peer.bufferedBytes).to.equal(0);
    await peer.flush();
    peer.send('pages');
    await journal.has('client: page 3');
    peer.halfClose();
    await journal.has('client: bye');
    await waitFor(() => journal.entries.some(entry => entry.startsWith('closed by')));
    expect(server.peer.send('late')).to.equal(false);
    const again = await pair();
    again.client.peer.destroy();
    await waitFor(() => again.server.peer.signal.aborted);
  });

  it('files and pipes', async () => {
    const path = join(folder, 'page');
    writeFileSync(path, 'a line of a file\n');
    const { client, server } = await pair();
    const sent = await server.peer.sendFile(path, { start: 2, length: 15 });
    expect(sent).to.equal(15);
    await journal.has('client: line of a file');
    const upstream = await pair();
    const piped = server.peer.pipe(upstream.client.peer, { limit: 6 });
    client.peer.send('carry');
    const count = await piped;
    expect(count).to.equal(6);
    await journal.has('client: carry');
    const cut = server.peer.pipe(upstream.client.peer).catch((gone: Error) => gone.name);
    upstream.client.peer.destroy();
    expect(await cut).to.equal('ConnectionClosedError');
  });

  it('beats with its connection, and a congested peer is told of', async () => {
    const { client, server } = await pair();
    await journal.has('beat');
    client.peer.pause();
    while (!server.peer.congested) server.peer.send('x'.repeat(10_000));
    client.peer.resume();
    await journal.has('drained');
  });

  it('datagrams', async () => {
    @Connection({ framing: lines() })
    class Datagrams {
      constructor(private readonly peer: Peer<string, string>) {}
      @OnData() receive(message: string, from: Remote) {
        this.peer.sendTo('and this', from);
        return message.toUpperCase();
      }
    }
    const listening = await reactor.listen(Datagrams, 'udp://127.0.0.1:0');
    const client = await reactor.connect(Client, listening.address.url as 'udp://x');
    client.peer.send('shout');
    await journal.has('client: SHOUT');
    await journal.has('client: and this');
  });
});
