import { expect } from 'chai';
import { handleSignals } from '../../src/app/signals.js';
import { FakeClock } from '../../src/testing/fake-clock.js';
import { atEnd } from '../kit/index.js';

/** Installs the handlers; `send` calls the listener that they added, so that nobody else's listener hears of it. */
function watch(clock: FakeClock): { readonly seen: string[]; send(signal: NodeJS.Signals): void } {
  const seen: string[] = [];
  const before = process.listeners('SIGTERM');
  const remove = handleSignals({ first: signal => seen.push(`first ${signal}`), second: signal => seen.push(`second ${signal}`) }, clock);
  atEnd(() => remove());
  const [listener] = process.listeners('SIGTERM').filter(each => !before.includes(each));
  return { seen, send: signal => listener!(signal) };
}

describe('signals', () => {
  it('take the same signal within a second for the same request', async () => {
    const clock = new FakeClock();
    const { seen, send } = watch(clock);
    send('SIGINT');
    send('SIGINT');
    await clock.advance('999ms');
    send('SIGINT');
    expect(seen).to.deep.equal(['first SIGINT']);
  });

  it('close at once when the same signal comes again after a second', async () => {
    const clock = new FakeClock();
    const { seen, send } = watch(clock);
    send('SIGINT');
    await clock.advance('500ms');
    // A copy does not start the second anew.
    send('SIGINT');
    await clock.advance('500ms');
    send('SIGINT');
    expect(seen).to.deep.equal(['first SIGINT', 'second SIGINT']);
  });

  it('close at once when another signal follows, however soon', () => {
    const { seen, send } = watch(new FakeClock());
    send('SIGINT');
    send('SIGTERM');
    expect(seen).to.deep.equal(['first SIGINT', 'second SIGTERM']);
  });

  it('leave no timer behind', async () => {
    const clock = new FakeClock();
    const remove = handleSignals({ first: () => {}, second: () => {} }, clock);
    process.listeners('SIGTERM').at(-1)!('SIGTERM');
    remove();
    expect(clock.pending).to.equal(0);
  });
});
