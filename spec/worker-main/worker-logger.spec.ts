import { expect } from 'chai';
import { lineOf } from '../../src/worker-main/worker-logger.js';

const line = (object: unknown, message?: string): unknown => JSON.parse(lineOf('info', { name: 'W' }, object, message));

describe('the log of a worker', () => {
  it('is a line of JSON with what the logger is bound to', () => {
    expect(line('started')).to.deep.equal({ level: 'info', name: 'W', msg: 'started' });
    expect(line({ user: 7 }, 'logged in')).to.deep.equal({ level: 'info', name: 'W', user: 7, msg: 'logged in' });
  });

  it('shows errors with stack and cause, alone or among other facts', () => {
    const error = new TypeError('no', { cause: new RangeError('beneath') });
    for (const object of [error, { err: error }]) {
      expect(line(object, 'failed'))
        .to.include({ msg: 'failed' })
        .and.to.have.property('err')
        .that.matches(/TypeError: no\n +at .*RangeError: beneath/s);
    }
  });

  it('throws at nobody, whatever is logged', () => {
    const circle: Record<string, unknown> = { big: 10n };
    expect(line(circle)).to.include({ big: '10' });
    circle['self'] = circle;
    expect(line(circle, 'round')).to.include({ level: 'info', msg: 'round' }).and.to.have.property('facts').that.includes('10n');
    const rude = {
      get secret(): string {
        throw new Error('no');
      },
    };
    expect(line(rude, 'rude')).to.include({ msg: 'rude' });
  });
});
