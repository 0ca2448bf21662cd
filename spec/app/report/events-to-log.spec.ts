import { expect } from 'chai';
import { logEvents } from '../../../src/app/report/events-to-log.js';
import { publish } from '../../../src/diagnostics.js';
import { Logger } from '../../../src/logger.js';

class Recorder extends Logger {
  readonly lines: [string, unknown, string | undefined][] = [];
  override debug(object: unknown, message?: string): void {
    this.lines.push(['debug', object, message]);
  }
  override warn(object: unknown, message?: string): void {
    this.lines.push(['warn', object, message]);
  }
  override error(): void {
    throw new Error('the disk is full');
  }
}

describe('the log', () => {
  it('is a subscriber of the events, until it is ended', () => {
    const log = new Recorder();
    const end = logEvents(log);
    publish('worker.exit', { worker: 'w', pid: 1, reason: 'signal', error: new TypeError('no') });
    publish('worker.exit', { worker: 'w', pid: 1, reason: 'stop', exitCode: 0 });
    end();
    publish('worker.exit', { worker: 'w', pid: 2, reason: 'signal' });
    expect(log.lines.map(([level, , words]) => [level, words])).to.deep.equal([
      ['warn', 'worker process ended'],
      ['debug', 'worker process ended'],
    ]);
    expect(log.lines[0]![1]).to.have.property('err').that.is.instanceOf(TypeError);
  });

  it('is told once, however many applications it serves, until the last of them has ended', () => {
    const log = new Recorder();
    const [first, second] = [logEvents(log), logEvents(log)];
    publish('call.dropped', { worker: 'w' });
    first();
    first();
    publish('call.dropped', { worker: 'w' });
    second();
    publish('call.dropped', { worker: 'w' });
    expect(log.lines).to.have.length(2);
  });

  it('has a warning in its own words', () => {
    const log = new Recorder();
    const end = logEvents(log);
    publish('app.warning', { worker: 'w', message: 'no file can be written' });
    end();
    expect(log.lines).to.deep.equal([['warn', { worker: 'w' }, 'no file can be written']]);
  });

  it('hurts nobody when it throws', () => {
    const end = logEvents(new Recorder());
    expect(() => publish('hook.error', { hook: 'x', error: new Error('y') })).to.not.throw();
    end();
  });
});
