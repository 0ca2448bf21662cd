import { expect } from 'chai';
import { Connection } from '../../src/decorators/connection/connection.js';
import { OnData, OnError } from '../../src/decorators/connection/connection-hooks.js';
import type { About } from '../../src/decorators/hook-types.js';
import { After, Every } from '../../src/decorators/lifecycle.js';
import { lines } from '../../src/framing/lines.js';
import { Timers } from '../../src/reactor/index.js';
import { UsageError } from '../../src/errors.js';
import { FakeClock } from '../../src/testing/fake-clock.js';
import { Events } from '../kit/events.js';
import { rig } from '../kit/reactor.js';
import { deferred, turns } from '../kit/signals.js';
import { WireClient } from '../kit/clients/wire-client.js';

describe('timers', () => {
  let clock: FakeClock;
  let timers: Timers;
  const errors: unknown[] = [];
  const failed = (error: unknown): void => void errors.push(error);
  beforeEach(() => {
    clock = new FakeClock();
    timers = new Timers(clock);
    errors.length = 0;
  });
  afterEach(() => timers.close());

  it('every: first after one interval, then without drift', async () => {
    const at: number[] = [];
    timers.every('10ms', () => at.push(clock.now()), failed);
    await clock.advance(45);
    expect(at).to.deep.equal([10, 20, 30, 40]);
  });

  it('does not come in bursts: what was missed while the process was busy is skipped, the rhythm stays', async () => {
    const at: number[] = [];
    let now = 0;
    const late: (() => void)[] = [];
    const slow = new Timers({ now: () => now, epoch: () => now, after: (_, run) => (late.push(run), { cancel: () => {} }) });
    slow.every(10, () => at.push(now), failed);
    for (const then of [10, 47, 50]) {
      now = then;
      late.pop()!();
    }
    expect(at).to.deep.equal([10, 47, 50]);
    slow.close();
  });

  it('does not overlap with itself', async () => {
    const gate = deferred();
    let running = 0;
    let runs = 0;
    timers.every(
      10,
      async () => {
        runs++;
        expect(++running).to.equal(1);
        await gate.promise;
        running--;
      },
      failed,
    );
    await clock.advance(55);
    expect(runs).to.equal(1);
    gate.resolve();
    await clock.advance(10);
    expect(runs).to.equal(2);
    expect(errors).to.deep.equal([]);
  });

  it('after: once', async () => {
    let runs = 0;
    timers.after('1s', () => runs++, failed);
    await clock.advance('999ms');
    expect(runs).to.equal(0);
    await clock.advance('1h');
    expect(runs).to.equal(1);
    expect(clock.pending).to.equal(0);
  });

  it('waits for delays beyond what timers can take', async () => {
    let runs = 0;
    timers.after('30d', () => runs++, failed);
    await clock.advance('29d');
    expect(runs).to.equal(0);
    await clock.advance('1d');
    expect(runs).to.equal(1);
  });

  it('cancelled never fires, not even when it is due in the same moment; cancelling twice does nothing', async () => {
    const seen: string[] = [];
    timers.after(10, () => second.cancel(), failed);
    const second = timers.after(10, () => seen.push('second'), failed);
    const third = timers.every(10, () => seen.push('third'), failed);
    third[Symbol.dispose]();
    third.cancel();
    await clock.advance(100);
    expect(seen).to.deep.equal([]);
  });

  it('what it throws or rejects with is told, and it goes on', async () => {
    let runs = 0;
    timers.every(
      10,
      () => {
        if (++runs === 1) throw new Error('thrown');
        return Promise.reject(new Error('rejected'));
      },
      failed,
    );
    await clock.advance(20);
    expect(errors.map(error => (error as Error).message)).to.deep.equal(['thrown', 'rejected']);
    await clock.advance(10);
    expect(runs).to.equal(3);
  });

  it('close() cancels all', async () => {
    let runs = 0;
    timers.every(10, () => runs++, failed);
    timers.after(10, () => runs++, failed);
    timers.close();
    await clock.advance(100);
    expect(runs).to.equal(0);
    expect(clock.pending).to.equal(0);
  });

  it('those that are asked for after close() never run', async () => {
    let runs = 0;
    timers.close();
    timers.every(10, () => runs++, failed);
    timers.after(10, () => runs++, failed).cancel();
    await clock.advance(100);
    expect(runs).to.equal(0);
    expect(clock.pending).to.equal(0);
  });

  it('refuses an interval of nothing, what is no duration, and what is no function', () => {
    const every = (interval: unknown, run: unknown = () => {}) => timers.every(interval as number, run as () => void, failed);
    expect(() => every(0)).to.throw(UsageError, 'a timer needs an interval above 0, not 0');
    expect(() => every('nope')).to.throw(UsageError, '"nope" is not a duration: write milliseconds or');
    expect(() => every({})).to.throw(UsageError, 'an object is not a duration');
    expect(() => timers.after(undefined as never, () => {}, failed)).to.throw(UsageError, 'undefined is not a duration');
    expect(() => every('1s', 5)).to.throw(UsageError, 'a timer runs a function, not a value of type number');
    expect(clock.pending).to.equal(0);
  });

  describe('of a connection', () => {
    it('@Every and @After run on its instance and end with it', async () => {
      const kit = rig(clock);
      const seen: string[] = [];
      @Connection({ framing: lines() })
      class Timed {
        private readonly name = 'me';
        @Every('10s') protected tick() {
          seen.push(`${this.name} every`);
        }
        @After('15s') protected once() {
          seen.push(`${this.name} after`);
          return 'not sent';
        }
        @OnData() data() {}
      }
      const client = await WireClient.connect((await kit.listen(Timed)).address.url);
      await clock.advance('20s');
      expect(seen).to.deep.equal(['me every', 'me after', 'me every']);
      client.destroy();
      await turns();
      await clock.advance('1h');
      expect(seen).to.have.length(3);
      expect(client.text).to.equal('');
      expect(clock.pending).to.equal(0);
      await kit.close();
    });

    it('a throw goes to @OnError during timer, or to the log; the connection lives', async () => {
      const kit = rig(clock);
      const abouts: string[] = [];
      @Connection({ framing: lines() })
      class Logs {
        @Every('10s') tick() {
          throw new Error('tick failed');
        }
        @OnData() data(line: string) {
          return line;
        }
      }
      @Connection({ framing: lines() })
      class Explains extends Logs {
        @OnError() error(error: Error, about: About) {
          abouts.push(`${error.message} during ${about.during}`);
        }
      }
      using logged = new Events('timer.error');
      for (const cls of [Logs, Explains]) {
        const client = await WireClient.connect((await kit.listen(cls)).address.url);
        await clock.advance('10s');
        client.send('alive\n');
        await client.reads('alive\n');
        client.destroy();
        await turns();
      }
      expect(logged.seen).to.have.length(1);
      expect(logged.seen[0]).to.include({ handler: 'Logs' });
      expect(abouts).to.deep.equal(['tick failed during timer']);
      await kit.close();
    });
  });
});
