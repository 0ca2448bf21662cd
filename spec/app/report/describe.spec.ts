import { expect } from 'chai';
import { describe as drawn } from '../../../src/app/report/describe.js';

describe('the runtime tree', () => {
  const row = {
    name: 'w',
    key: undefined,
    id: 'x-w1',
    host: 'local',
    pid: 7,
    state: 'ready',
    running: 1,
    queued: 2,
    done: 3,
    failed: 0,
    restarts: 0,
    pool: { queued: 2, done: 3, failed: 0 },
    rss: undefined,
  } as const;

  it('shows whatever a worker says of itself, on its own line and not all of it', () => {
    const circle: Record<string, unknown> = { big: 10n, text: 'x'.repeat(10_000), lines: 'a\nb' };
    circle['self'] = circle;
    const text = drawn({
      listeners: [],
      dialers: [],
      workers: [{ name: 'w', status: [{ ...row, startedAt: new Date(0), status: circle }] }],
    });
    expect(text.split('\n')).to.have.length(5);
    expect(text).to.match(/pid 7 ready: 1 running, 3 done, 0 failed, says .*big: 10n/);
    expect(text.length).to.be.below(1000);
  });
});
