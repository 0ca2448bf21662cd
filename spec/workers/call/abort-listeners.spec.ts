import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { unwatch, watch } from '../../../src/workers/call/abort-listeners.js';

describe('watching a signal', () => {
  const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

  it('takes one listener for any number of watchers, and none when the last has gone', () => {
    const { signal } = new AbortController();
    const watchers = Array.from({ length: 1000 }, () => ({ abort: () => {} }));
    for (const watcher of watchers) watch(signal, watcher);
    expect(listeners(signal)).to.equal(1);
    for (const watcher of watchers) unwatch(signal, watcher);
    expect(listeners(signal)).to.equal(0);
  });

  it('tells each watcher once, with the reason, and not those that went', () => {
    const control = new AbortController();
    const told: unknown[] = [];
    const [first, second] = [
      { abort: (reason: unknown) => told.push(['first', reason]) },
      { abort: (reason: unknown) => told.push(['second', reason]) },
    ];
    watch(control.signal, first);
    watch(control.signal, second);
    unwatch(control.signal, second);
    control.abort('why');
    expect(told).to.deep.equal([['first', 'why']]);
    expect(listeners(control.signal)).to.equal(0);
  });

  it('may be taken up again', () => {
    const { signal } = new AbortController();
    const watcher = { abort: () => {} };
    watch(signal, watcher);
    unwatch(signal, watcher);
    watch(signal, watcher);
    expect(listeners(signal)).to.equal(1);
    unwatch(signal, watcher);
  });
});
