import { expect } from 'chai';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { realClock, type Clock, type ClockTimer } from '../src/clock.js';
import { deadline } from '../src/deadline.js';
import { FakeClock } from '../src/testing/fake-clock.js';
import { atEnd } from './kit/index.js';
import { turns } from './kit/signals.js';

/** A clock whose only timer is fired by hand, as late as the test likes. */
class LateClock implements Clock {
  time = 0;
  readonly asked: number[] = [];
  #run: (() => void) | undefined;
  now = (): number => this.time;
  epoch = (): number => this.time;
  after = (delay: number, run: () => void): ClockTimer => {
    this.asked.push(delay);
    this.#run = run;
    return { cancel: () => (this.#run = undefined) };
  };
  fire(at: number): void {
    this.time = at;
    const run = this.#run;
    this.#run = undefined;
    run?.();
  }
}

/** Keeps the event loop from turning. */
function block(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

describe('a deadline', () => {
  it('expires after its delay', async () => {
    const clock = new FakeClock();
    let expired = 0;
    deadline(clock, 1_000, () => expired++);
    await clock.advance('999ms');
    expect(expired).to.equal(0);
    await clock.advance('1ms');
    expect(expired).to.equal(1);
    expect(clock.pending).to.equal(0);
  });

  it('never expires once it is cancelled, not even between its timer and the next poll', async () => {
    const clock = new LateClock();
    let expired = 0;
    const limit = deadline(clock, 10, () => expired++);
    clock.fire(10);
    limit.cancel();
    await turns();
    expect(expired).to.equal(0);
  });

  it('is extended once by the length of a stall, at most by a second', async () => {
    const clock = new LateClock();
    let expired = 0;
    deadline(clock, 1_000, () => expired++);
    clock.fire(1_400);
    await turns();
    expect(expired).to.equal(0);
    expect(clock.asked).to.deep.equal([1_000, 400]);
    clock.fire(60_000);
    await turns();
    expect(expired).to.equal(1);
    deadline(clock, 1_000, () => {});
    clock.fire(200_000);
    expect(clock.asked).to.deep.equal([1_000, 400, 1_000, 1_000]);
  });

  it('hears after a stall what arrived during it', async () => {
    const server = createServer(socket => socket.end('in time')).listen(0, '127.0.0.1');
    atEnd(() => void server.close());
    await once(server, 'listening');
    const heard: string[] = [];
    const address = server.address() as { port: number };
    const client = connect(address.port, '127.0.0.1');
    atEnd(() => void client.destroy());
    const limit = deadline(realClock, 20, () => heard.push('expired'), true);
    client.on('data', () => {
      limit.cancel();
      heard.push('data');
    });
    // The connection is made and the bytes are sent in rounds of which every one comes late.
    client.on('connect', () => block(50));
    await once(client, 'close');
    await turns();
    expect(heard).to.deep.equal(['data']);
  });
});
