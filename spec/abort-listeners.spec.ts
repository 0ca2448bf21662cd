import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { onAbort, unwatchAbort, watchAbort } from '../src/abort-listeners.js';

describe('watching a signal', () => {
  const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

  it('takes one listener for any number of watchers, and none when the last has gone', () => {
    const { signal } = new AbortController();
    const watchers = Array.from({ length: 1000 }, () => ({ abort: () => {} }));
    for (const watcher of watchers) watchAbort(signal, watcher);
    expect(listeners(signal)).to.equal(1);
    for (const watcher of watchers) unwatchAbort(signal, watcher);
    expect(listeners(signal)).to.equal(0);
  });

  it('tells each watcher once, with the reason, and not those that went', () => {
    const control = new AbortController();
    const told: unknown[] = [];
    const [first, second] = [
      { abort: (reason: unknown) => told.push(['first', reason]) },
      { abort: (reason: unknown) => told.push(['second', reason]) },
    ];
    watchAbort(control.signal, first);
    watchAbort(control.signal, second);
    unwatchAbort(control.signal, second);
    control.abort('why');
    expect(told).to.deep.equal([['first', 'why']]);
    expect(listeners(control.signal)).to.equal(0);
  });

  it('may be taken up again', () => {
    const { signal } = new AbortController();
    const watcher = { abort: () => {} };
    watchAbort(signal, watcher);
    unwatchAbort(signal, watcher);
    watchAbort(signal, watcher);
    expect(listeners(signal)).to.equal(1);
    unwatchAbort(signal, watcher);
  });

  it('leaves out those that one that is told takes off', () => {
    const control = new AbortController();
    const told: string[] = [];
    onAbort(control.signal, () => {
      told.push('first');
      forget();
    });
    const forget = onAbort(control.signal, () => told.push('second'));
    control.abort();
    expect(told).to.deep.equal(['first']);
  });

  it('calls a function with the reason, and not once it is taken off', () => {
    const control = new AbortController();
    const told: unknown[] = [];
    onAbort(control.signal, reason => told.push(reason));
    onAbort(control.signal, () => told.push('gone'))();
    control.abort('why');
    expect(told).to.deep.equal(['why']);
    onAbort(undefined, () => told.push('never'))();
    expect(listeners(control.signal)).to.equal(0);
  });
});
