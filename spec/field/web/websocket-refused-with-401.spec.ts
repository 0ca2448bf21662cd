import { expect } from 'chai';
import { Connection, OnClose, OnConnect, OnData, Peer } from 'packet-ts';
import 'packet-ts/websocket';
import { bootstrap, Module } from 'packet-ts';
import { Events } from '../../kit/events.js';
import { atEnd, soon, tcpClient, waitFor, webClient } from '../../kit/index.js';
import { deferred } from '../../kit/signals.js';

const OPENING =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

describe('a websocket that its application refuses', () => {
  let made = 0;
  const asked: string[] = [];
  let decided = deferred();
  const authorize = async (request: Request, { remote }: { remote: { address?: string | undefined } }): Promise<Response | undefined> => {
    const { pathname, searchParams } = new URL(request.url);
    asked.push(`${pathname} ${remote.address} ${request.headers.get('cookie')}`);
    if (searchParams.has('throws')) throw new Error('connect ECONNREFUSED 10.1.2.3');
    if (searchParams.has('waits')) await decided.promise;
    if (request.headers.get('cookie') === 'user=ann') return undefined;
    return new Response('who are you?', {
      status: 401,
      headers: [
        ['WWW-Authenticate', 'Basic'],
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
      ],
    });
  };
  @Connection({ listen: { url: 'ws://127.0.0.1:0', authorize, handshakeTimeout: '5s' } })
  class Private {
    constructor(private readonly peer: Peer) {
      made++;
    }
    @OnConnect() hello() {
      return `hello ${this.peer.request?.headers.get('cookie')}`;
    }
    @OnData() echo(message: Buffer) {
      return message.toString();
    }
    @OnClose() over() {}
  }

  async function start() {
    @Module({ connections: [Private] })
    class AppModule {}
    const app = await bootstrap(AppModule, { logger: false, signals: false });
    atEnd(() => app.close({ timeout: 1 }));
    made = 0;
    decided = deferred();
    return { ...app.address(Private), app };
  }

  it('is answered with the Response, before anything is made for it and without an error', async () => {
    using errors = new Events('listener.error');
    using refused = new Events('listener.reject');
    const { port, url } = await start();
    const client = await tcpClient(port);
    await client.send(`GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n${OPENING}`);
    const answer = await client.all();
    expect(answer).to.match(/^HTTP\/1.1 401 Unauthorized\r\n/);
    expect(answer).to.match(/www-authenticate: Basic\r\n/i);
    expect(answer.match(/set-cookie: \w=\d/gi)).to.have.length(2);
    expect(answer).to.match(/\r\n\r\nwho are you\?$/);
    expect(asked.at(-1)).to.equal('/x 127.0.0.1 null');
    expect([made, errors.seen.length]).to.deep.equal([0, 0]);
    expect(refused.seen.map(({ reason, why }) => [reason, why])).to.deep.equal([['authorize', 'authorize answered 401']]);
    const ann = await webClient(url, [], { headers: { cookie: 'user=ann' } });
    expect(await ann.next()).to.equal('hello user=ann');
    ann.send('hi');
    expect(await ann.next()).to.equal('hi');
    expect(made).to.equal(1);
  });

  it('may be decided later: messages that came meanwhile are kept, and a client that leaves costs nothing', async () => {
    const { port, url } = await start();
    const before = asked.length;
    const opening = webClient(`${url}/?waits`, [], { headers: { cookie: 'user=ann' } });
    await waitFor(() => asked.length === before + 1);
    const leaver = await tcpClient(port);
    await leaver.send(`GET /?waits HTTP/1.1\r\nHost: 127.0.0.1\r\n${OPENING}`);
    await waitFor(() => asked.length === before + 2);
    leaver.reset();
    expect(made).to.equal(0);
    decided.resolve();
    expect(await (await soon(opening)).next()).to.equal('hello user=ann');
  });

  it('is 500 with fixed words when deciding fails, and the error is told', async () => {
    using errors = new Events('listener.error');
    const { port } = await start();
    const client = await tcpClient(port);
    await client.send(`GET /?throws HTTP/1.1\r\nHost: 127.0.0.1\r\n${OPENING}`);
    expect(await client.all()).to.match(/^HTTP\/1.1 500 [^]*something went wrong here$/);
    expect(errors.seen.map(({ error }) => (error as Error).message)).to.deep.equal(['connect ECONNREFUSED 10.1.2.3']);
  });

  it('is 503 when the application closes before it is decided: closing neither waits for it nor leaves it open', async () => {
    using refused = new Events('listener.reject');
    const { port, app } = await start();
    const client = await tcpClient(port);
    const before = asked.length;
    await client.send(`GET /?waits HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: user=ann\r\n${OPENING}`);
    await waitFor(() => asked.length === before + 1);
    expect(await app.close()).to.include({ graceful: true, connections: 0 });
    expect(await client.all()).to.match(/^HTTP\/1.1 503 [^]*closing$/);
    decided.resolve();
    expect(made).to.equal(0);
    expect(refused.seen.map(({ reason }) => reason)).to.deep.equal(['closed']);
  });

  it('is answered with the Response that the constructor of its handler throws', async () => {
    @Connection({ listen: 'ws://127.0.0.1:0' })
    class Full {
      constructor() {
        throw new Response('come back later', { status: 429, headers: { 'Retry-After': '5' } });
      }
      @OnData() never() {}
    }
    @Module({ connections: [Full] })
    class AppModule {}
    const app = await bootstrap(AppModule, { logger: false, signals: false });
    atEnd(() => app.close({ timeout: 1 }));
    using refused = new Events('listener.reject');
    using failed = new Events('connection.error');
    const client = await tcpClient(app.address(Full).port);
    await client.send(`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n${OPENING}`);
    const answer = await client.all({ within: '5s' });
    expect(answer.split('\r\n')).to.include.members(['HTTP/1.1 429 Too Many Requests', 'retry-after: 5', 'come back later']);
    expect(refused.seen[0]).to.include({ reason: 'constructor', why: "the handler's constructor answered 429" });
    expect(failed.seen).to.deep.equal([]);
  });
});
