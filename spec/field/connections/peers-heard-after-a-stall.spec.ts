import { expect } from 'chai';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Connection, OnClose, OnData, type CloseReason } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { OnRequest } from 'packet-ts/http';
import { rig, type Rig } from '../../kit/reactor.js';
import { atEnd, tcpClient, waitFor } from '../../kit/index.js';

/** The limit of each case, and how long the event loop stands still: all limits pass in that time. */
const LIMIT = 500;
const STALL = 1100;
/** Milliseconds between what a client sends: even on a busy machine far below the limit. */
const EVERY = 20;
/** Answers that show that a connection has lived through the stall: more than were asked for until its end. */
const AFTERWARDS = (STALL / EVERY) * 1.5;

/** Keeps the event loop from turning, as a long garbage collection or a paused machine does. */
function stall(): void {
  const until = performance.now() + STALL;
  while (performance.now() < until);
}

/** A request, whole and in two parts. */
const HEAD = 'GET / HTTP/1.1\r\nHo';
const REST = 'st: a\r\n\r\n';
const REQUEST = HEAD + REST;

interface Script {
  readonly first: string;
  readonly then: string;
  /** Milliseconds. */
  readonly every: number;
}

/** A client that goes on sending whatever this thread does. */
class SteadyClient {
  heard = '';
  closed = false;
  readonly #thread: Worker;

  constructor(port: number, script: Script) {
    const file = new URL('../../kit/children/steady-client.js', import.meta.url);
    this.#thread = new Worker(file, { workerData: { port, ...script } });
    this.#thread.on('message', ({ data, closed }: { data?: string; closed?: boolean }) => {
      this.heard += data ?? '';
      if (closed) this.closed = true;
    });
    atEnd(() => this.end());
  }

  async end(): Promise<void> {
    this.#thread.postMessage('end');
    await once(this.#thread, 'exit');
  }
}

describe('a peer that sends while the event loop stands still', () => {
  let r: Rig;
  const reasons: CloseReason[] = [];
  beforeEach(() => {
    r = rig();
    reasons.length = 0;
  });
  afterEach(() => r.close());

  @Connection({ framing: lines() })
  class Chat {
    @OnData() say(line: string): string {
      if (line === 'stall') stall();
      return line;
    }
    @OnClose() note(reason: CloseReason): void {
      reasons.push(reason);
    }
  }

  it('is not closed by idleTimeout', async () => {
    const { address } = await r.listen(Chat, 'tcp://127.0.0.1:0', { idleTimeout: LIMIT });
    const client = new SteadyClient(address.port, { first: 'stall\n', then: 'still here\n', every: EVERY });
    // Lines that were sent after the stall show that the connection has lived through it.
    await waitFor(() => client.heard.split('\n').length > AFTERWARDS, { what: () => JSON.stringify([client.heard, reasons]) });
    expect(reasons).to.deep.equal([]);
  });

  it('is not closed by firstMessageTimeout', async () => {
    const { address } = await r.listen(Chat, 'tcp://127.0.0.1:0', { firstMessageTimeout: LIMIT });
    const client = new SteadyClient(address.port, { first: '', then: 'hello\n', every: EVERY });
    await waitFor(() => r.reactor.connections(Chat).count === 1);
    stall();
    await waitFor(() => client.heard.includes('hello'));
    expect(reasons).to.deep.equal([]);
  });

  it('is not closed by messageTimeout when the rest of its message came meanwhile', async () => {
    const { address } = await r.listen(Chat, 'tcp://127.0.0.1:0', { messageTimeout: LIMIT });
    const client = new SteadyClient(address.port, { first: 'be', then: 'gun\nbe', every: EVERY });
    await waitFor(() => [...r.reactor.connections(Chat)].some(({ peer }) => peer.bytesRead > 0));
    stall();
    await waitFor(() => client.heard.split('begun').length > AFTERWARDS, { what: () => JSON.stringify([client.heard, reasons]) });
    expect(reasons).to.deep.equal([]);
  });

  it('is not closed by messageTimeout when its own handler stood still, and it waits at the gate with a part of a message', async () => {
    const { address } = await r.listen(Chat, 'tcp://127.0.0.1:0', { messageTimeout: LIMIT });
    const client = new SteadyClient(address.port, { first: 'stall\nbe', then: 'gun\nbe', every: EVERY });
    await waitFor(() => client.heard.split('begun').length > AFTERWARDS, { what: () => JSON.stringify([client.heard, reasons]) });
    expect(reasons).to.deep.equal([]);
  });

  it('is not closed by halfCloseGrace when its last messages wait at the gate', async () => {
    const { address } = await r.listen(Chat, 'tcp://127.0.0.1:0', { halfCloseGrace: LIMIT });
    const client = await tcpClient(address.port);
    await client.send('stall\n');
    await client.line();
    client.end('one\ntwo\n');
    expect(await client.lines(2)).to.deep.equal(['one', 'two']);
    await waitFor(() => reasons.length > 0);
    expect(reasons).to.deep.equal([{ by: 'peer', code: 'END' }]);
  });

  it('has the rest of its request head read, and its connection kept for the next request', async () => {
    let requests = 0;
    @Connection()
    class Web {
      @OnRequest() answer(): Response {
        requests++;
        return new Response('answered\n');
      }
    }
    const { address } = await r.listen(Web, 'http://127.0.0.1:0', { firstMessageTimeout: LIMIT, idleTimeout: LIMIT });
    const client = new SteadyClient(address.port, { first: REQUEST + HEAD, then: REST + HEAD, every: EVERY });
    await waitFor(() => requests > 0);
    stall();
    await waitFor(() => client.heard.split('answered').length > AFTERWARDS, { what: () => client.heard });
    expect(client.closed).to.equal(false);
  });

  it('has the time of a head that could not be read while a handler stood still, and the requests before it waited, from then on', async () => {
    let requests = 0;
    @Connection()
    class Web {
      @OnRequest() answer(): Response {
        if (++requests === 2) stall();
        return new Response('answered\n');
      }
    }
    // Shorter than the stall, and long for what this process does in between on a busy machine.
    const { address } = await r.listen(Web, 'http://127.0.0.1:0', { firstMessageTimeout: STALL - 100 });
    const client = await tcpClient(address.port);
    await client.send(REQUEST.repeat(20) + HEAD);
    await waitFor(() => client.inbox.text.split('answered').length > 20);
    await client.send(REST);
    await waitFor(() => client.inbox.text.split('answered').length > 21);
    await client.send(REQUEST.repeat(20) + HEAD);
    // The rest of this one does not come.
    expect(await client.all()).to.contain('408');
  });

  it('is closed by idleTimeout all the same when it was silent', async () => {
    const { address } = await r.listen(Chat, 'tcp://127.0.0.1:0', { idleTimeout: LIMIT });
    const client = new SteadyClient(address.port, { first: 'stall\n', then: '', every: EVERY });
    await waitFor(() => client.closed);
    expect(reasons.map(({ by, code }) => [by, code])).to.deep.equal([['timeout', 'idleTimeout']]);
  });
});
