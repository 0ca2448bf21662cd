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

const of = { app: 'B', worker: 'w', key: undefined };
const exit = {
  ...of,
  process: '1-w1',
  workerPid: 1,
  host: 'local',
  exitCode: null,
  signal: null,
  reason: 'signal',
  error: undefined,
  expected: false,
};
const dropped = { ...of, what: 'answer', error: undefined } as const;

describe('the log', () => {
  it('is a subscriber of the events, until it is ended', () => {
    const log = new Recorder();
    const end = logEvents(log, 'B');
    publish('worker.exit', { ...exit, reason: 'signal', error: new TypeError('no') });
    publish('worker.exit', { ...exit, reason: 'stop', exitCode: 0, expected: true });
    publish('worker.exit', { ...exit, reason: 'stop', signal: 'SIGKILL', expected: true });
    publish('worker.exit', { ...exit, reason: 'stop', signal: 'SIGKILL' });
    end();
    publish('worker.exit', exit);
    expect(log.lines.map(([level, , words]) => [level, words])).to.deep.equal([
      ['warn', 'worker process ended'],
      ['debug', 'worker process ended'],
      ['debug', 'worker process ended'],
      ['warn', 'worker process ended'],
    ]);
    expect(log.lines[0]![1]).to.have.property('err').that.is.instanceOf(TypeError);
  });

  it('is told once, however many applications it serves, until the last of them has ended', () => {
    const log = new Recorder();
    const [first, second] = [logEvents(log, 'A'), logEvents(log, 'B')];
    publish('call.dropped', dropped);
    first();
    first();
    publish('call.dropped', dropped);
    second();
    publish('call.dropped', dropped);
    expect(log.lines).to.have.length(2);
  });

  it('has what the application itself does, and what belongs to the whole process', () => {
    const log = new Recorder();
    const end = logEvents(log, 'A');
    publish('call.dropped', dropped);
    publish('call.dropped', { ...dropped, app: 'A' });
    publish('descriptors.enough', { limit: 1, used: 0, reserve: 0 });
    publish('app.warning', { message: 'of the process' });
    end();
    expect(log.lines.map(([, , words]) => words)).to.deep.equal(['answer dropped', 'of the process']);
  });

  it('says which application it was where it serves several', () => {
    const log = new Recorder();
    const [first, second] = [logEvents(log, 'A'), logEvents(log, 'B')];
    publish('call.dropped', dropped);
    first();
    publish('call.dropped', dropped);
    second();
    expect(log.lines.map(([, facts]) => (facts as { app?: string }).app)).to.deep.equal(['B', undefined]);
  });

  it('has a warning in its own words', () => {
    const log = new Recorder();
    const end = logEvents(log, 'A');
    publish('app.warning', { worker: 'w', message: 'no file can be written' });
    end();
    expect(log.lines).to.deep.equal([['warn', { worker: 'w' }, 'no file can be written']]);
  });

  it('hurts nobody when it throws', () => {
    const end = logEvents(new Recorder(), 'A');
    expect(() => publish('hook.error', { hook: 'x', error: new Error('y') })).to.not.throw();
    end();
  });
});
