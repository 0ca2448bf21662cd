import { connect, type Socket } from 'node:net';
import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { Connection, inject, OnClose, OnConnect, OnData, Peer } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { Authority } from '../../../kit/programs/certificates.js';
import { needsProgram, waitFor } from '../../../kit/index.js';
import { tlsClient } from '../../../kit/clients/tls-client.js';
import { House, Neighbour } from '../../../attacks/support/house.js';

const descriptors = (): number => readdirSync('/proc/self/fd').length;

let opened = 0;
let closed = 0;

/** Does something of everything, so that a reset finds it in the middle of it. */
@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
class Busy {
  constructor(@inject(Peer) private readonly peer: Peer<string, string>) {
    opened++;
  }
  @OnConnect() async welcome(): Promise<string> {
    await Promise.resolve();
    return 'welcome';
  }
  @OnData() async *answer(line: string): AsyncGenerator<string> {
    if (line === 'flood') this.peer.send('x'.repeat(300_000));
    if (line === 'end') this.peer.end('bye');
    for (let i = 0; i < 3; i++) yield `${line} ${i}`;
    await this.peer.flush();
    yield 'flushed';
  }
  @OnClose() left(): void {
    closed++;
  }
}

/** What a peer has done by the time it leaves with a RST. */
const PHASES: readonly ((socket: Socket) => void)[] = [
  socket => socket.once('connect', () => socket.resetAndDestroy()),
  socket => socket.once('connect', () => socket.write('line\n', () => socket.resetAndDestroy())),
  socket => socket.once('connect', () => socket.write('half a li', () => socket.resetAndDestroy())),
  socket => socket.once('connect', () => socket.write('flood\n', () => setImmediate(() => socket.resetAndDestroy()))),
  socket => socket.once('connect', () => socket.write('end\n', () => setImmediate(() => socket.resetAndDestroy()))),
  socket => socket.once('data', () => socket.resetAndDestroy()),
  socket => socket.once('connect', () => socket.write('line\n')) && socket.once('data', () => socket.resetAndDestroy()),
  socket => socket.once('connect', () => socket.end('line\n', () => socket.resetAndDestroy())),
  socket => socket.once('connect', () => socket.write('x'.repeat(70_000), () => socket.resetAndDestroy())),
  socket => setImmediate(() => socket.destroy()),
];

/** Connects `count` times, 50 at a time, each leaving at another phase; resolves when all are gone. */
async function storm(port: number, count: number, phases = PHASES): Promise<void> {
  let left = count;
  const one = (number: number): Promise<void> =>
    new Promise(resolve => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      phases[number % phases.length]!(socket);
    });
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      while (left > 0) await one(left--);
    }),
  );
}

describe('a reset at every phase', function () {
  this.slow(20_000);

  it('10 000 times: nothing crashes, each connection closes once, no descriptor is left, others are served', async () => {
    const house = await House.open([Busy]);
    await house.servesOthers();
    const before = descriptors();
    await storm(house.app.address(Busy).port, 10_000);
    await waitFor(() => house.app.reactor.connections(Busy).count === 0, { within: '10s' });
    await waitFor(() => closed === opened, { within: '10s', what: () => `${opened} opened, ${closed} closed` });
    expect(opened).to.be.above(8000);
    await waitFor(() => descriptors() <= before, { within: '5s', what: () => `${descriptors()} descriptors, ${before} before` });
    await house.servesOthers();
    expect(house.app.reactor.connections().count).to.equal(house.app.reactor.connections(Neighbour).count);
    expect(await house.close()).to.deep.equal({ graceful: true, connections: 0, calls: 0, workers: 0 });
  });
});

describe('descriptors of failed handshakes', function () {
  if (!needsProgram('openssl')) return;
  this.slow(10_000);
  let authority: Authority;
  before(() => (authority = new Authority()));
  after(() => authority[Symbol.dispose]());

  it('2000 handshakes that break off halfway leave no descriptor and no place taken; a good one is served after them', async () => {
    let handlers = 0;
    const options = { tls: authority.issue('127.0.0.1'), maxConnections: 100, handshakeTimeout: '1s' } as const;
    @Connection({ listen: 'tls://127.0.0.1:0', framing: lines(), ...options })
    class Secret {
      constructor() {
        handlers++;
      }
      @OnData() data(line: string): string {
        return line;
      }
    }
    const house = await House.open([Secret]);
    await house.servesOthers();
    const before = descriptors();
    // A record that promises a client hello, and half of one.
    const hello = Buffer.concat([Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]), Buffer.alloc(32, 1)]);
    await storm(house.app.address(Secret).port, 2000, [
      socket => socket.once('connect', () => socket.resetAndDestroy()),
      socket => socket.once('connect', () => socket.write(hello, () => socket.resetAndDestroy())),
      socket => socket.once('connect', () => socket.end(hello)),
      socket => socket.once('connect', () => socket.write('GET / HTTP/1.0\r\n\r\n', () => {})),
      socket => socket.once('connect', () => socket.end()),
    ]);
    await waitFor(() => descriptors() <= before, { within: '10s', what: () => `${descriptors()} descriptors, ${before} before` });
    expect(handlers).to.equal(0);
    expect(house.app.reactor.connections(Secret).count).to.equal(0);
    const client = await tlsClient({ port: house.app.address(Secret).port, ca: authority.cert });
    await client.send('hello\n');
    expect(await client.line()).to.equal('hello');
    await house.servesOthers();
  });
});
