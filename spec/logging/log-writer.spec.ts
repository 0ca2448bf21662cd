import { expect } from 'chai';
import { LogWriter } from '../../src/logging/log-writer.js';
import { FakeClock } from '../../src/testing/fake-clock.js';

function refusal(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** A descriptor that takes as many bytes as it has room for. */
class Pipe {
  text = '';
  room = Infinity;
  code = 'EAGAIN';
  tries = 0;

  readonly put = (bytes: Uint8Array): number => {
    this.tries++;
    const taken = Math.min(this.room, bytes.length);
    if (taken === 0) throw refusal(this.code);
    this.room -= taken;
    this.text += Buffer.from(bytes.subarray(0, taken)).toString();
    return taken;
  };
}

describe('the writer of the log', () => {
  const notice = (dropped: number, code: string): string => `${dropped} dropped: ${code}\n`;
  let pipe: Pipe;
  let clock: FakeClock;
  let log: LogWriter;

  beforeEach(() => {
    pipe = new Pipe();
    clock = new FakeClock();
    log = new LogWriter({ put: pipe.put, notice, clock, limit: 20 });
  });

  it('writes a line at once where there is room', () => {
    log.write('one\n');
    expect([pipe.text, log.waiting, clock.pending]).to.deep.equal(['one\n', 0, 0]);
  });

  it('keeps what a slow reader does not take, finishes the line that was begun, and keeps the order', async () => {
    pipe.room = 2;
    log.write('one\n');
    log.write('two\n');
    expect([pipe.text, log.waiting]).to.deep.equal(['on', 6]);
    pipe.room = Infinity;
    await clock.advance(5);
    log.write('three\n');
    expect(pipe.text).to.equal('one\ntwo\nthree\n');
  });

  it('drops what is beyond its limit, and says in its place how many lines and why', async () => {
    pipe.room = 0;
    for (let i = 0; i < 9; i++) log.write('1234\n');
    expect([log.waiting, log.dropped]).to.deep.equal([20, 5]);
    pipe.room = Infinity;
    await clock.advance('1s');
    log.write('next\n');
    expect(pipe.text).to.equal(`${'1234\n'.repeat(4)}5 dropped: EAGAIN\nnext\n`);
  });

  it('never throws, and tries ever more rarely while nothing is taken', async () => {
    pipe.room = 0;
    pipe.code = 'ENOSPC';
    log.write('full\n');
    await clock.advance('10s');
    const tries = pipe.tries;
    expect(tries).to.be.below(60);
    await clock.advance('1s');
    expect(pipe.tries - tries).to.equal(4);
    pipe.room = Infinity;
    await clock.advance('1s');
    expect(pipe.text).to.equal('full\n');
  });

  it('does not keep a process running that has nothing else to do', () => {
    const kept: boolean[] = [];
    const watched = {
      now: () => 0,
      epoch: () => 0,
      after: (_: number, __: () => void, keepAlive = false) => (kept.push(keepAlive), { cancel() {} }),
    };
    pipe.room = 0;
    new LogWriter({ put: pipe.put, notice, clock: watched }).write('x\n');
    expect(kept).to.deep.equal([false]);
  });

  it('gives a reader that is slow a last chance at the exit, and one that does not read no more than that', () => {
    pipe.room = 0;
    const slow = new LogWriter({ put: pipe.put, notice });
    slow.write('last words\n');
    expect(slow.flush(20)).to.equal(false);
    pipe.room = Infinity;
    expect([slow.flush(20), pipe.text]).to.deep.equal([true, 'last words\n']);
  });

  it('does not wait at the exit for a disk that is full', () => {
    pipe.room = 0;
    pipe.code = 'ENOSPC';
    log.write('x\n');
    const before = pipe.tries;
    expect(log.flush(60_000)).to.equal(false);
    expect(pipe.tries - before).to.equal(1);
  });
});
