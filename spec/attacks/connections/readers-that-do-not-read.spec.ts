import { expect } from 'chai';
import 'packet-ts/websocket';
import { bootstrap, Connection, inject, Module, OnClose, OnData, Peer, Reactor, type CloseReason } from 'packet-ts';
import { json, lines } from 'packet-ts/framing';
import type { Ctor } from '../../../src/decorators/ctor.js';
import { Events } from '../../kit/events.js';
import { atEnd, tcpClient, waitFor, webClient, type TcpClient } from '../../kit/index.js';
import { turns } from '../../kit/signals.js';
import { Neighbour } from '../support/house.js';

const MB = 1024 * 1024;
const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');

let frozenLeft: string[] = [];

@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines({ maxLength: '2mb' }) })
class Member {
  constructor(@inject(Peer) readonly peer: Peer<string, string>) {}
  @OnData() data(line: string): string {
    return line;
  }
  @OnClose() closed({ by, code }: CloseReason): void {
    frozenLeft.push(`${by} ${code}`);
  }
}

@Connection({ listen: 'ws://127.0.0.1:0', framing: json<unknown, unknown>() })
class Web {
  @OnData() data(): void {}
}

describe('readers that do not read', function () {
  this.slow(6000);
  beforeEach(() => (frozenLeft = []));

  const open = async (connections: readonly Ctor[], options: { maxBufferedBytesTotal?: '4mb' } = {}) => {
    class AppModule {}
    Module({ connections: [Neighbour, ...connections] })(AppModule);
    const app = await bootstrap(AppModule, { signals: false, logger: false, ...options });
    atEnd(() => app.close({ timeout: 1 }));
    return app;
  };
  const frozen = async (port: number, count: number, hello = ''): Promise<TcpClient[]> => {
    const clients = await Promise.all(Array.from({ length: count }, () => tcpClient(port)));
    for (const { socket } of clients) {
      socket.write(hello);
      socket.pause();
    }
    return clients;
  };
  const countOf = (reactor: Reactor, cls: Ctor): number => reactor.connections(cls).count;

  for (const [what, cls, hello] of [
    ['sockets', Member, ''],
    ['websockets', Web, UPGRADE],
  ] as const) {
    it(`of a broadcast: one encoded message is kept for all ${what}, however many they are`, async () => {
      const app = await open([cls]);
      const { reactor } = app;
      await frozen(app.address(cls).port, 30, hello);
      await waitFor(() => countOf(reactor, cls) === 30);
      const before = process.memoryUsage().arrayBuffers;
      for (let i = 0; i < 12; i++) {
        reactor.broadcast(cls, `${i}${'x'.repeat(MB)}`);
        await turns(2);
      }
      const waiting = [...reactor.connections(cls as Ctor)].map(({ peer }) => peer.bufferedBytes);
      expect(Math.min(...waiting), 'bytes that wait on each').to.be.above(3 * MB);
      // Twelve messages, not thirty times twelve.
      expect(process.memoryUsage().arrayBuffers - before).to.be.below(24 * MB);
      expect(countOf(reactor, cls), 'counted once, they are far from maxBufferedBytesTotal').to.equal(30);
    });
  }

  it('of a broadcast: those who read get it whole, as text on websockets', async () => {
    const app = await open([Member, Web]);
    const { reactor } = app;
    await frozen(app.address(Member).port, 3);
    const reader = await tcpClient(app.address(Member).port);
    const browser = await webClient(app.address(Web).url);
    await waitFor(() => countOf(reactor, Member) === 4 && countOf(reactor, Web) === 1);
    const text = `ä${'x'.repeat(100_000)}`;
    reactor.broadcast(Member, text);
    reactor.broadcast(Member, 'behind');
    reactor.broadcast(Web, text);
    expect(await reader.lines(2)).to.deep.equal([text, 'behind']);
    expect(await browser.next()).to.equal(JSON.stringify(text));
  });

  it('beyond maxBufferedBytesTotal the heaviest goes first, and everybody else stays and is served', async () => {
    using limited = new Events('connection.limit');
    const app = await open([Member], { maxBufferedBytesTotal: '4mb' });
    const { reactor } = app;
    await frozen(app.address(Member).port, 4);
    await waitFor(() => countOf(reactor, Member) === 4);
    const peers = [...reactor.connections(Member)].map(({ peer }) => peer);
    const heavy = peers[2]!;
    // The kernel takes some megabytes of each; only what it does not take counts.
    const fill = async (peer: Peer, bytes: number): Promise<void> => {
      while (peer.bufferedBytes < bytes && !peer.signal.aborted) {
        peer.send('x'.repeat(100_000));
        await turns(1);
      }
    };
    for (const peer of peers) await fill(peer, peer === heavy ? 1.5 * MB : 0.5 * MB);
    expect(limited.seen).to.deep.equal([]);
    await fill(peers[0]!, 1.4 * MB);
    await fill(peers[1]!, 1.4 * MB);
    await waitFor(() => frozenLeft.length === 1);
    expect(frozenLeft).to.deep.equal(['limit maxBufferedBytesTotal']);
    expect([heavy.signal.aborted, countOf(reactor, Member)]).to.deep.equal([true, 3]);
    expect(limited.seen.map(({ limit }) => limit)).to.deep.equal(['maxBufferedBytesTotal']);
    const neighbour = await tcpClient(app.address(Neighbour).port);
    await neighbour.send('still there\n');
    expect(await neighbour.line()).to.equal('still there');
  });
});
