import { expect } from 'chai';
import { TimerHeap } from '../../src/timing/timer-heap.js';
import { FakeClock } from '../../src/testing/fake-clock.js';
import { KeepAlive } from '../../src/websocket/keep-alive.js';
import { atEnd } from '../kit/index.js';

const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** A peer that is watched, at intervals of 1000 ms. */
function watched() {
  const clock = new FakeClock();
  const seen = { pings: [] as number[], lost: false, isDeaf: false, taken: 0 };
  const host = {
    get isDeaf() {
      return seen.isDeaf;
    },
    get taken() {
      return seen.taken;
    },
    ping: () => seen.pings.push(clock.now()),
    onLost: () => (seen.lost = true),
  };
  const start = clock.now();
  const keepAlive = new KeepAlive(host, 1_000, { clock, alarms: new TimerHeap(clock) });
  atEnd(() => keepAlive.stop());
  return { clock, seen, keepAlive, pings: () => seen.pings.map(at => at - start) };
}

describe('keepAlive of a websocket', () => {
  it('pings after exactly so much silence, and gives the peer up after as much again', async () => {
    const { clock, seen, pings } = watched();
    await clock.advance(999);
    expect(pings()).to.deep.equal([]);
    await clock.advance(1);
    expect(pings()).to.deep.equal([1_000]);
    await clock.advance(999);
    await nextTurn();
    expect(seen.lost).to.equal(false);
    await clock.advance(1);
    await nextTurn();
    expect(seen.lost).to.equal(true);
  });

  it('counts the silence from what was last heard', async () => {
    const { clock, seen, keepAlive, pings } = watched();
    await clock.advance(900);
    keepAlive.onHeard();
    await clock.advance(999);
    expect(pings()).to.deep.equal([]);
    await clock.advance(1);
    expect(pings()).to.deep.equal([1_900]);
    await clock.advance(10);
    keepAlive.onHeard();
    await clock.advance(1_000);
    expect(pings()).to.deep.equal([1_900, 2_910]);
    expect(seen.lost).to.equal(false);
  });

  it('takes what came while timers were late for an answer', async () => {
    const { clock, seen, keepAlive } = watched();
    await clock.advance(1_000);
    await clock.advance(1);
    // As when the loop stalls: the timer comes first, then what had arrived before.
    keepAlive.onAlarm();
    keepAlive.onHeard();
    await nextTurn();
    expect(seen.lost).to.equal(false);
  });

  it('waits for a peer that still reads what was sent before the ping', async () => {
    const { clock, seen } = watched();
    for (let i = 0; i < 10; i++) {
      await clock.advance(1_000);
      await nextTurn();
      seen.taken += 1;
    }
    expect(seen.lost).to.equal(false);
    await clock.advance(2_000);
    await nextTurn();
    expect(seen.lost).to.equal(true);
  });

  it('neither pings nor gives up a peer that is not read', async () => {
    const { clock, seen, pings } = watched();
    seen.isDeaf = true;
    await clock.advance(10_000);
    await nextTurn();
    expect([pings(), seen.lost]).to.deep.equal([[], false]);
  });

  it('does nothing more once it is stopped', async () => {
    const { clock, seen, keepAlive, pings } = watched();
    await clock.advance(1_000);
    keepAlive.stop();
    keepAlive.onHeard();
    await clock.advance(10_000);
    expect([pings(), seen.lost]).to.deep.equal([[1_000], false]);
  });
});
