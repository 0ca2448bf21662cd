import { expect } from 'chai';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { OnClose, OnConnect, OnData, OnError } from '../../../src/decorators/connection/connection-hooks.js';
import type { CloseReason } from '../../../src/decorators/hook-types.js';
import { registerScheme } from '../../../src/endpoints/endpoint.js';
import { lines } from '../../../src/framing/lines.js';
import { Peer } from '../../../src/reactor/index.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { deferred, Journal, turns } from '../../kit/signals.js';

@Connection({ framing: lines() })
class Server {
  constructor(readonly peer: Peer) {}
  @OnData() data(line: string) {
    if (line === 'leave') this.peer.destroy();
    return line;
  }
}

describe('reactor.connect', () => {
  let kit: Rig;
  let clock: FakeClock;
  let journal: Journal;
  beforeEach(() => {
    kit = rig((clock = new FakeClock()));
    journal = new Journal();
  });
  afterEach(() => kit.close());
  const failure = (attempt: Promise<unknown>): Promise<Error> =>
    attempt.then(
      () => new Error('it connected'),
      (error: Error) => error,
    );

  it('resolves with the handler when its @OnConnect has settled; data is there from the constructor on', async () => {
    const gate = deferred();
    @Connection({ framing: lines() })
    class Client {
      readonly name: string;
      connected = false;
      readonly answers: string[] = [];
      constructor(readonly peer: Peer<string, string, { name: string }>) {
        this.name = peer.data.name;
      }
      @OnConnect() async connect() {
        await gate.promise;
        this.connected = true;
        return `hello from ${this.name}`;
      }
      @OnData() data(line: string) {
        journal.note(line);
      }
    }
    const { address } = await kit.listen(Server);
    let resolved = false;
    const connecting = kit.reactor.connect(Client, address.url as 'memory:x', { data: { name: 'me' } }).finally(() => (resolved = true));
    await turns();
    expect(resolved).to.equal(false);
    gate.resolve();
    const client = await connecting;
    expect(client).to.be.instanceOf(Client);
    expect(client.connected).to.equal(true);
    await journal.has('hello from me');
  });

  it('accepted connections and those without data have an empty data', async () => {
    const { address } = await kit.listen(Server);
    const client = await kit.reactor.connect(Server, address.url as 'memory:x');
    expect(client.peer.data).to.deep.equal({});
  });

  it('rejects with a ConnectError and makes no instance when nobody listens', async () => {
    for (const url of ['memory:nobody', 'unix:/nowhere/at/all.sock', 'tcp://127.0.0.1:1'] as const) {
      const error = await failure(kit.reactor.connect(Server, url));
      expect(error, url).to.include({ name: 'ConnectError', code: 'ERR_PACKET_CONNECT', reason: 'refused', url });
    }
    expect(kit.made).to.deep.equal([]);
  });

  it('rejects after connectTimeout', async () => {
    registerScheme({
      name: 'spec-never',
      connect: (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('given up')))),
    });
    const connecting = failure(kit.reactor.connect(Server, 'spec-never:x' as 'memory:x', { connectTimeout: '3s' }));
    await clock.advance('3s');
    expect(await connecting).to.include({ name: 'ConnectError', reason: 'timeout' });
    expect(clock.pending).to.equal(0);
  });

  it('a signal aborts the dial, and afterwards destroys the connection', async () => {
    registerScheme({
      name: 'spec-never',
      connect: ({ url }, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(Object.assign(new Error(url), { reason: 'aborted' })))),
    });
    const dialling = new AbortController();
    const connecting = failure(kit.reactor.connect(Server, 'spec-never:x' as 'memory:x', { signal: dialling.signal }));
    dialling.abort();
    expect(await connecting).to.include({ reason: 'aborted' });

    @Connection({ framing: lines() })
    class Client {
      @OnData() data() {}
      @OnClose() closed({ by, code }: CloseReason) {
        journal.note(`${by} ${code}`);
      }
    }
    const { address } = await kit.listen(Server);
    const up = new AbortController();
    await kit.reactor.connect(Client, address.url as 'memory:x', { signal: up.signal });
    up.abort();
    await journal.has('local ABORTED');
    const aborted = await failure(kit.reactor.connect(Client, address.url as 'memory:x', { signal: AbortSignal.abort() }));
    expect(aborted).to.include({ name: 'ConnectError', reason: 'aborted' });
  });

  it('rejects with what the constructor or @OnConnect threw, unless @OnError took it', async () => {
    const { address } = await kit.listen(Server);
    const url = address.url as 'memory:x';
    @Connection({ framing: lines() })
    class Constructor {
      constructor() {
        throw new Error('constructor failed');
      }
      @OnData() data() {}
    }
    @Connection({ framing: lines() })
    class Connects {
      @OnConnect() connect() {
        return Promise.reject(new Error('connect failed'));
      }
      @OnData() data() {}
    }
    @Connection({ framing: lines() })
    class Explains extends Connects {
      @OnError() explain() {}
    }
    expect(await failure(kit.reactor.connect(Constructor, url))).to.have.property('message', 'constructor failed');
    expect(await failure(kit.reactor.connect(Connects, url))).to.have.property('message', 'connect failed');
    expect(await kit.reactor.connect(Explains, url)).to.be.instanceOf(Explains);
  });

  it('rejects when it is given up before @OnConnect has settled, and the connection is closed then', async () => {
    const closed: CloseReason[] = [];
    @Connection({ framing: lines() })
    class Waits {
      @OnConnect() connect() {
        return new Promise(() => {});
      }
      @OnData() data() {}
      @OnClose() close(reason: CloseReason) {
        closed.push(reason);
      }
    }
    const { address } = await kit.listen(Server);
    const giveUp = new AbortController();
    const attempt = failure(kit.reactor.connect(Waits, address.url as 'memory:x', { signal: giveUp.signal }));
    await turns();
    giveUp.abort(new Error('too slow'));
    expect(await attempt).to.include({ name: 'ConnectError', reason: 'aborted', cause: giveUp.signal.reason });
    expect(kit.core.count(Waits)).to.equal(0);
    await clock.advance('5s');
    expect(closed).to.deep.equal([{ by: 'local', code: 'ABORTED' }]);
  });

  it('rejects when the peer leaves before @OnConnect has settled', async () => {
    @Connection({ framing: lines() })
    class Waits {
      constructor(private readonly peer: Peer) {}
      @OnConnect() connect() {
        this.peer.send('leave');
        return new Promise(() => {});
      }
      @OnData() data() {}
    }
    const { address } = await kit.listen(Server);
    const error = await failure(kit.reactor.connect(Waits, address.url as 'memory:x'));
    expect(error).to.include({ name: 'ConnectError', reason: 'refused' });
  });

  it('refuses a url that is wrong with a ConfigurationError that names the class', async () => {
    for (const url of ['ftp://x:1', 'nothing', 'tcp://x']) {
      const error = await failure(kit.reactor.connect(Server, url as 'memory:x'));
      expect(error, url).to.have.property('name', 'ConfigurationError');
      expect(error.message).to.match(/^Server/);
    }
  });

  it('refuses new connections while the application is closing', async () => {
    const { address } = await kit.listen(Server);
    await kit.core.stopListening();
    expect(await failure(kit.reactor.connect(Server, address.url as 'memory:x'))).to.have.property('name', 'ClosingError');
    expect(await failure(kit.listen(Server))).to.have.property('name', 'ClosingError');
  });
});
