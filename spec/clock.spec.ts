import { expect } from 'chai';
import { realClock } from '../src/clock.js';

describe('the real clock', () => {
  it('takes a moment that has passed for now, without a warning of Node', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    await new Promise<void>(resolve => realClock.after(-5, resolve, true));
    // Warnings are told in a turn of their own.
    await new Promise(resolve => setImmediate(resolve));
    process.off('warning', note);
    expect(warnings).to.deep.equal([]);
  });
});
