import { expect } from 'chai';
import { z } from 'zod';
import { Connection, InjectWorker, OnData, Task, Worker, type WorkerClient } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { OnRequest } from 'packet-ts/http';
import type { Ctor } from '../../../src/decorators/ctor.js';
import { tcpClient, waitFor, type TcpClient } from '../../kit/index.js';
import { proxyLine } from '../../kit/clients/proxy-header.js';
import { deferred } from '../../kit/signals.js';
import { House } from '../support/house.js';

const CROWD = 60;
const TO = { address: '192.0.2.1', port: 443 };
const TO6 = { address: '2001:db8:ffff::1', port: 443 };

let gate = deferred();
let order: string[] = [];

@Worker('crowded_pool', { runtime: 'inline', maxWorkers: 1, prefetch: 0, timeout: '10s' })
class Pool {
  @Task({ input: z.string(), output: z.string() }) async run(who: string): Promise<string> {
    order.push(who);
    await gate.promise;
    return who;
  }
}

@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines(), proxyProtocol: { from: ['127.0.0.1'] } })
class Behind {
  constructor(@InjectWorker(Pool) private readonly pool: WorkerClient<Pool>) {}
  @OnData() ask(line: string): Promise<string> {
    return this.pool.run(line);
  }
}

@Connection({ listen: 'http://127.0.0.1:0', trustProxy: ['127.0.0.1'] })
class Web {
  constructor(@InjectWorker(Pool) private readonly pool: WorkerClient<Pool>) {}
  @OnRequest() async answer(request: Request): Promise<Response> {
    return new Response(await this.pool.run(new URL(request.url).pathname.slice(1)));
  }
}

@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines(), proxyProtocol: { from: ['127.0.0.1'] } })
class Held {
  constructor(@InjectWorker(Pool) private readonly pool: WorkerClient<Pool>) {}
  @OnData() ask(line: string): Promise<string> {
    return this.pool.run(line);
  }
}

@Worker('crowded_edge', { runtime: 'inline', maxWorkers: 1, connections: [Held] })
class Edge {}

/** Asks as a client of that address, on a connection of its own. */
type Asks = (house: House, address: string, what: string) => Promise<TcpClient>;

const through =
  (endpoint: Ctor): Asks =>
  async (house, address, what) => {
    const client = await house.connect(endpoint);
    await client.send(`${proxyLine({ address, port: 50_000 }, address.includes(':') ? TO6 : TO)}${what}\n`);
    return client;
  };
const behind = through(Behind);
const forwarded: Asks = async (house, address, what) => {
  const client = await house.connect(Web);
  await client.send(`GET /${what} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${address}\r\n\r\n`);
  return client;
};

describe('one address with many connections that each call a pool', () => {
  let house: House;
  const waiting = (): number => Number(/crowded_pool: (\d+) queued/.exec(house.app.describe())![1]);

  beforeEach(async () => {
    gate = deferred();
    order = [];
    house = await House.open([Behind, Web], { workers: [Pool, Edge] });
  });

  for (const [what, ask, addresses, honest] of [
    ['an IPv4 address', behind, ['203.0.113.7'], '198.51.100.1'],
    ['an IPv4 address, at an endpoint that a worker holds', through(Held), ['203.0.113.7'], '198.51.100.1'],
    ['an IPv6 network', behind, ['2001:db8::1', '2001:db8::2', '2001:db8::ffff:3'], '2001:db8:0:1::1'],
    ['a client of a trusted proxy', forwarded, ['203.0.113.7'], '198.51.100.1'],
  ] as const) {
    it(`has one turn: ${what}`, async () => {
      for (let i = 0; i < CROWD; i++) await ask(house, addresses[i % addresses.length]!, 'crowd');
      await waitFor(() => waiting() === CROWD - 1);
      const client = await ask(house, honest, 'honest');
      await waitFor(() => waiting() === CROWD);
      gate.resolve();
      await waitFor(() => client.inbox.text.includes('honest'));
      // What ran already, and at most one of the crowd's.
      expect(order.indexOf('honest')).to.be.at.most(2);
      await waitFor(() => order.length === CROWD + 1);
    });
  }

  it('has its own connections take turns among each other', async () => {
    const greedy = await Promise.all(Array.from({ length: 3 }, () => behind(house, '203.0.113.7', 'first')));
    await waitFor(() => waiting() === 2);
    const modest = await tcpClient(house.app.address(Web).port);
    // One connection with many requests, and one with one, of another address.
    await modest.send('GET /many HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(12));
    await waitFor(() => waiting() === 14);
    const other = await tcpClient(house.app.address(Web).port);
    await other.send('GET /one HTTP/1.1\r\nHost: a\r\n\r\n');
    await waitFor(() => waiting() === 15);
    gate.resolve();
    await waitFor(() => other.inbox.text.includes('one'));
    expect(order.indexOf('one')).to.be.below(8);
    await waitFor(() => order.length === 3 + 13);
    for (const client of greedy) await waitFor(() => client.inbox.text.includes('first'));
  });
});
