import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { Connection, Module, OnClose, OnData, type CloseReason, type Framing } from 'packet-ts';
import { json, lengthPrefixed, lines, netstring, raw, headerAndBody } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';
import { atEnd, tcpClient, waitFor } from '../../../kit/index.js';
import { House } from '../../../attacks/support/house.js';

/** Descriptors that this process may have: each connection takes two of them here, since the clients live here too. */
const ALLOWED = Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? 1024);
const DRIBBLERS = Math.min(Math.floor((ALLOWED - 400) / 2), 9_500);

describe('slowloris', function () {
  this.slow(30_000);

  /** The beginning of a message, and what dribbles in afterwards. */
  const PHASES: readonly (readonly [string, Framing<unknown, never>, string | Buffer, string])[] = [
    ['nothing at all', lines(), '', ''],
    ['a line', lines(), 'GET /', 'x'],
    ['a length field', lengthPrefixed({ bytes: 4 }), Buffer.from([0]), '\u0001'],
    ['the body of a length', lengthPrefixed({ bytes: 4 }), Buffer.from([0, 0, 1, 0]), 'x'],
    ['a netstring', netstring(), '100:', 'x'],
    ['a JSON document', json(), '{"a":', ' '],
    ['headers', headerAndBody(), 'GET / HTTP/1.1\r\n', 'x'],
    ['a body', headerAndBody(), 'Content-Length: 100\r\n\r\n', 'x'],
  ];
  for (const [what, framing, start, drip] of PHASES) {
    it(`${what}, byte by byte and never finished, is closed in time and told by name`, async () => {
      const reasons: CloseReason[] = [];
      @Connection({ listen: 'tcp://127.0.0.1:1', framing, firstMessageTimeout: '30s', messageTimeout: '30s' })
      class Server {
        @OnData() data(): void {}
        @OnClose() closed(reason: CloseReason): void {
          reasons.push(reason);
        }
      }
      @Module({ connections: [Server] })
      class AppModule {}
      await using app = await createTestApp(AppModule).start({ clock: 'fake' });
      const client = await app.connect(Server, { framing: raw() });
      if (start.length > 0) client.send(start);
      for (let second = 1; second < 30; second++) {
        await app.clock.advance('1s');
        if (drip !== '') client.send(drip);
      }
      expect(reasons).to.deep.equal([]);
      await app.clock.advance('1s');
      expect(reasons.map(({ by, code }) => `${by} ${code}`)).to.deep.equal([
        `timeout ${start.length === 0 ? 'firstMessageTimeout' : 'messageTimeout'}`,
      ]);
    });
  }

  it(`${DRIBBLERS} connections at once, as many as ${ALLOWED} descriptors allow, are all closed in time; a normal client is served meanwhile`, async () => {
    let timedOut = 0;
    const others: CloseReason[] = [];
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines(), firstMessageTimeout: '10s', messageTimeout: '10s', backlog: 4096 })
    class Server {
      @OnData() data(line: string): string {
        return line;
      }
      @OnClose() closed(reason: CloseReason): void {
        if (reason.by === 'timeout') timedOut++;
        else others.push(reason);
      }
    }
    const house = await House.open([Server]);
    const port = house.app.address(Server).port;
    const sockets: Socket[] = [];
    atEnd(() => {
      for (const socket of sockets) socket.destroy();
    });
    let connected = 0;
    let ended = 0;
    const add = (number: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const socket = connect({ port, host: '127.0.0.1' });
        sockets.push(socket);
        socket.on('error', reject);
        socket.on('close', () => ended++);
        socket.on('connect', () => {
          connected++;
          if (number % 2 === 0) socket.write('never a whole li');
          resolve();
        });
        socket.resume();
      });
    for (let at = 0; at < DRIBBLERS; at += 200)
      await Promise.all(Array.from({ length: Math.min(200, DRIBBLERS - at) }, (_, i) => add(at + i)));
    expect(connected).to.equal(DRIBBLERS);
    await waitFor(() => house.app.reactor.connections(Server).count === DRIBBLERS);
    // While they are there, and while they are closed.
    const normal = await tcpClient(port);
    for (let served = 0; timedOut < DRIBBLERS; served++) {
      await normal.send(`normal ${served}\n`);
      expect(await normal.line({ within: '4s' })).to.equal(`normal ${served}`);
      await house.servesOthers();
      if (timedOut === 0) await waitFor(() => timedOut > 0, { within: '30s' });
    }
    expect(others).to.deep.equal([]);
    await waitFor(() => ended === DRIBBLERS, { within: '10s', what: () => `${ended} of ${DRIBBLERS} clients to see the end` });
    expect(house.app.reactor.connections(Server).count).to.equal(1);
  });

  // As a length, more than comes within any time limit.
  const begun = Buffer.from([0, 15, 0, 0]);
  const ENDLESS: readonly (readonly [string, Framing<unknown, never>, Buffer])[] = [
    ['a line', lines({ maxLength: '64mb' }), begun],
    ['a line that is large already', lines({ maxLength: '64mb' }), Buffer.alloc(40_000)],
    ['a body of a length', lengthPrefixed({ bytes: 4 }), begun],
  ];
  for (const [what, framing, first] of ENDLESS) {
    it(`${what} of which a byte comes at every turn of the loop is closed in time all the same`, async () => {
      const reasons: CloseReason[] = [];
      @Connection({ listen: 'tcp://127.0.0.1:0', framing, messageTimeout: '300ms' })
      class Server {
        @OnData() data(): void {}
        @OnClose() closed(reason: CloseReason): void {
          reasons.push(reason);
        }
      }
      const house = await House.open([Server]);
      const socket = connect({ port: house.app.address(Server).port, host: '127.0.0.1' });
      atEnd(() => void socket.destroy());
      socket.on('error', () => {});
      // The client shares the loop: each poll of the server finds a byte, also the one that a limit waits for.
      const dribble = (): void => {
        if (reasons.length > 0) return;
        if (socket.writable) socket.write('\0');
        setImmediate(dribble);
      };
      socket.write(first);
      dribble();
      await waitFor(() => reasons.length > 0, { within: '15s', what: 'the connection to be closed' });
      expect(reasons[0]).to.include({ by: 'timeout', code: 'messageTimeout' });
      await house.servesOthers();
    });
  }
});
