import { expect } from 'chai';
import { Watermark } from '../../../src/workers/queue/watermark.js';

describe('the drain gate', () => {
  it('closes at half of the queue and opens at a quarter, once per crossing', () => {
    const gate = new Watermark(100);
    const seen = [49, 50, 40, 26, 25, 49, 50].map(size => (gate.setLevel(size), gate.isClosed));
    expect(seen).to.deep.equal([false, true, true, true, false, false, true]);
  });

  it('tells everyone who waits, and lets pass whoever comes while it is open', async () => {
    const gate = new Watermark(4);
    await gate.whenOpen();
    gate.setLevel(2);
    const waiting = [gate.whenOpen(), gate.whenOpen()];
    gate.setLevel(1);
    await Promise.all(waiting);
  });

  it('works for the smallest queue, and for one without a limit', () => {
    const smallest = new Watermark(1);
    smallest.setLevel(1);
    expect(smallest.isClosed).to.equal(true);
    smallest.setLevel(0);
    expect(smallest.isClosed).to.equal(false);
    const unlimited = new Watermark(0);
    unlimited.setLevel(4999);
    expect(unlimited.isClosed).to.equal(false);
    unlimited.setLevel(5000);
    expect(unlimited.isClosed).to.equal(true);
  });

  it('closes above half of the bytes, and opens at a quarter of them; none are said where none wait', () => {
    const gate = new Watermark(0, 100);
    const seen = [50, 51, 26, 25, 50].map(bytes => (gate.setLevel(1, bytes), gate.isClosed));
    expect(seen).to.deep.equal([false, true, true, false, false]);
    const unlimited = new Watermark(100);
    unlimited.setLevel(1, 1e12);
    expect(unlimited.isClosed).to.equal(false);
    const smallest = new Watermark(0, 2);
    smallest.setLevel(1, 2);
    expect(smallest.isClosed).to.equal(true);
    smallest.setLevel(0);
    expect(smallest.isClosed).to.equal(false);
  });
});
