import { expect } from 'chai';
import { BoundaryError, MessageTooLargeError, NotCloneableError, TaskNotFoundError } from '../../src/errors.js';
import { Kind, PROTOCOL_VERSION } from '../../src/wire/link/protocol.js';
import { ready, rig } from '../kit/workers/runtime-rig.js';
import { loaded, taskOf, workerOf } from '../kit/workers/worker-fixture.js';

class Echo {
  echo(input: unknown): unknown {
    return input;
  }
  context(_input: unknown, _context: unknown): void {}
}
const echo = workerOf(Echo, [taskOf('echo'), taskOf('context')]);

describe('a task runtime', () => {
  describe('lives with its link', () => {
    it('says who it is, what it can and which tasks look at their context, then that it is ready', async () => {
      const { master } = await ready(loaded(echo));
      expect(master.heard.map(({ kind }) => kind)).to.deep.equal(['HELLO', 'READY']);
      expect(master.heard[0]!.value).to.deep.equal({
        version: PROTOCOL_VERSION,
        name: 'fixture',
        pid: process.pid,
        tasks: ['echo', 'context'],
        context: [false, true],
        mail: false,
      });
    });

    it('tells whole why it cannot start, and ends', async () => {
      const cause = new TypeError('no such table');
      const { master, end } = rig(loaded(echo, () => Promise.reject(new Error('no database', { cause }))));
      const { id, value } = await master.kind('FAILURE');
      expect(id).to.equal(0);
      expect(value).to.be.an('error').with.property('message', 'no database');
      expect((value as Error).cause)
        .to.be.instanceOf(TypeError)
        .with.property('message', 'no such table');
      expect((value as Error).stack).to.include('runtime.spec');
      await master.over;
      expect(await end).to.deep.equal({ isClean: false });
    });

    it('tells so too when its module cannot be imported', async () => {
      const { master } = rig(() => Promise.reject(new SyntaxError('Unexpected token')));
      expect((await master.kind('FAILURE')).value).to.be.instanceOf(SyntaxError);
      expect(master.heard).to.have.length(1);
    });

    it('refuses a master of another version', async () => {
      const { master } = rig(loaded(echo), { version: 99 });
      expect((await master.kind('FAILURE')).value)
        .to.have.property('message')
        .that.matches(/version 99/);
    });

    it('runs what is to run at its stop, says the last things and ends cleanly', async () => {
      let stopped = 0;
      let say!: () => void;
      const stop = async (): Promise<void> => {
        await Promise.resolve(stopped++);
        say();
      };
      const { master, end } = await ready(
        loaded(
          echo,
          ({ master: up }) => {
            say = () => up.status('last');
            return new Echo();
          },
          { stop },
        ),
      );
      master.link.send(Kind.STOP, 0, 0);
      await master.over;
      expect(await end).to.deep.equal({ isClean: true });
      expect(stopped).to.equal(1);
      expect(master.heard.at(-1)).to.include({ kind: 'STATUS', value: 'last' });
    });

    it('is told how long it has to stop, and told again where that becomes less', async () => {
      const told: number[] = [];
      let finish!: () => void;
      const stopping = new Promise<void>(resolve => (finish = resolve));
      const stop = (within: number): Promise<void> => {
        told.push(within);
        if (told.length === 2) finish();
        return stopping;
      };
      const { master } = await ready(loaded(echo, undefined, { stop }));
      master.link.send(Kind.STOP, 0, 10_000);
      master.link.send(Kind.STOP, 0, 500);
      await master.over;
      expect(told).to.deep.equal([10_000, 500]);
    });

    it('stops right after its start when it was told to meanwhile', async () => {
      let started!: (worker: object) => void;
      let stopped = false;
      const worker = loaded(echo, () => new Promise<object>(resolve => (started = resolve)), { stop: async () => void (stopped = true) });
      const { master, end } = rig(worker);
      await master.kind('HELLO');
      master.link.send(Kind.STOP, 0, 0);
      await master.roundTrip();
      started(new Echo());
      await master.over;
      expect(stopped).to.equal(true);
      expect((await end).isClean).to.equal(true);
    });

    it('tells what its stop threw, and ends all the same', async () => {
      const { master, end } = await ready(loaded(echo, undefined, { stop: () => Promise.reject(new Error('still in use')) }));
      master.link.send(Kind.STOP, 0, 0);
      expect((await master.kind('STRAY')).value).to.have.property('message', 'still in use');
      await master.over;
      expect((await end).isClean).to.equal(false);
    });

    it('begins nothing more after STOP', async () => {
      const begun: unknown[] = [];
      const { master } = await ready(
        loaded(
          workerOf(
            class {
              echo(input: unknown): void {
                begun.push(input);
              }
            },
            [taskOf('echo')],
          ),
        ),
      );
      master.link.send(Kind.STOP, 0, 0);
      master.call(0, 'late');
      await master.over;
      expect(begun).to.deep.equal([]);
    });

    it('lets go of everything when the link goes without a word', async () => {
      let dropped = false;
      const signals: AbortSignal[] = [];
      class Waiting {
        wait(_input: unknown, context: { signal: AbortSignal }): Promise<void> {
          signals.push(context.signal);
          return new Promise(() => {});
        }
      }
      const { master, end } = await ready(
        loaded(workerOf(Waiting, [taskOf('wait')]), undefined, { onDropped: () => void (dropped = true) }),
      );
      master.call(0);
      await master.roundTrip();
      master.link.destroy();
      expect((await end).isClean).to.equal(false);
      expect(signals[0]!.aborted).to.equal(true);
      expect(dropped).to.equal(true);
    });

    it('answers a ping, also while a task waits', async () => {
      const { master } = await ready(
        loaded(
          workerOf(
            class {
              wait(): Promise<void> {
                return new Promise(() => {});
              }
            },
            [taskOf('wait')],
          ),
        ),
      );
      master.call(0);
      master.link.send(Kind.PING, 5, 7);
      expect(await master.kind('PONG')).to.include({ id: 5, arg: 7 });
    });
  });

  describe('answers calls', () => {
    it('of plain and of asynchronous methods, with their instance as this', async () => {
      class Counter {
        #count = 0;
        plain(by: number): number {
          return (this.#count += by);
        }
        async later(by: number): Promise<number> {
          await Promise.resolve();
          return (this.#count += by);
        }
      }
      const { master } = await ready(loaded(workerOf(Counter, [taskOf('plain'), taskOf('later')])));
      expect((await master.ask(0, 2)).value).to.equal(2);
      expect((await master.ask(1, 3)).value).to.equal(5);
    });

    it('without a value for undefined, with one for null', async () => {
      const { master } = await ready(loaded(echo));
      expect(await master.ask(0, undefined)).to.include({ kind: 'REPLY', value: undefined });
      expect(await master.ask(0, null)).to.include({ kind: 'REPLY', value: null });
    });

    it('one after the other, in order, also when the first one takes longer', async () => {
      const open: (() => void)[] = [];
      const log: string[] = [];
      class Slow {
        async go(name: string): Promise<string> {
          log.push(`begin ${name}`);
          if (name === 'a') await new Promise<void>(resolve => open.push(resolve));
          log.push(`end ${name}`);
          return name;
        }
      }
      const { master } = await ready(loaded(workerOf(Slow, [taskOf('go')])));
      const [a, b] = [master.call(0, 'a'), master.call(0, 'b')];
      await master.roundTrip();
      open[0]!();
      await Promise.all([master.settled(a), master.settled(b)]);
      expect(log).to.deep.equal(['begin a', 'end a', 'begin b', 'end b']);
    });

    it('as many at once as its concurrency says', async () => {
      let running = 0;
      let most = 0;
      class Wide {
        async go(): Promise<void> {
          most = Math.max(most, ++running);
          await new Promise(setImmediate);
          running--;
        }
      }
      const { master } = await ready(loaded(workerOf(Wide, [taskOf('go')])), { concurrency: 3 });
      await Promise.all(Array.from({ length: 10 }, () => master.ask(0)));
      expect(most).to.equal(3);
    });

    it('with what was thrown, whatever that is', async () => {
      const thrown: unknown[] = [Object.assign(new RangeError('too far', { cause: 'x' }), { code: 'E_FAR' }), 'text', null, undefined, 7];
      class Throwing {
        plain(index: number): void {
          throw thrown[index];
        }
        async later(index: number): Promise<void> {
          await Promise.resolve();
          throw thrown[index];
        }
      }
      const { master } = await ready(loaded(workerOf(Throwing, [taskOf('plain'), taskOf('later')])));
      for (const task of [0, 1]) {
        const { kind, value } = await master.ask(task, 0);
        expect(kind).to.equal('FAILURE');
        expect(value).to.be.instanceOf(RangeError).that.includes({ message: 'too far', code: 'E_FAR', cause: 'x' });
        for (const index of [1, 2, 3, 4]) expect(await master.ask(task, index)).to.include({ kind: 'FAILURE', value: thrown[index] });
      }
    });

    it('with an error that names the place of what cannot be copied, and goes on', async () => {
      class Uncopyable {
        make(): unknown {
          return { list: [1, { fn: () => 1 }] };
        }
        echo(input: unknown): unknown {
          return input;
        }
      }
      const { master } = await ready(loaded(workerOf(Uncopyable, [taskOf('make'), taskOf('echo')])));
      const { kind, value } = await master.ask(0);
      expect(kind).to.equal('FAILURE');
      expect(value).to.be.instanceOf(NotCloneableError).with.property('path', 'output.list[1].fn');
      expect((await master.ask(1, 'still there')).value).to.equal('still there');
    });

    it('with the words of an error that cannot be copied whole, and with the place of any other value that cannot', async () => {
      class Uncopyable {
        fail(how: string): void {
          if (how === 'error') throw Object.assign(new TypeError('the user must read this'), { code: 'E_MINE', retry: () => 1 });
          if (how === 'large') throw new TypeError('x'.repeat(5000));
          throw { retry: () => 1 }; // oxlint-disable-line typescript/only-throw-error -- that is the point
        }
      }
      const { master } = await ready(loaded(workerOf(Uncopyable, [taskOf('fail')])), { maxMessageSize: 4096 });
      expect((await master.ask(0, 'error')).value)
        .to.be.instanceOf(TypeError)
        .that.includes({ message: 'the user must read this', code: 'E_MINE' });
      expect((await master.ask(0, 'large')).value)
        .to.be.an('error')
        .that.includes({ name: 'TypeError', message: 'x'.repeat(500) });
      expect((await master.ask(0, 'object')).value)
        .to.be.instanceOf(NotCloneableError)
        .with.property('path', 'error.retry');
    });

    it('with an error for a result larger than maxMessageSize', async () => {
      const { master } = await ready(
        loaded(
          workerOf(
            class {
              big(): string {
                return 'x'.repeat(5000);
              }
            },
            [taskOf('big')],
          ),
        ),
        { maxMessageSize: 4096 },
      );
      expect((await master.ask(0)).value)
        .to.be.instanceOf(MessageTooLargeError)
        .with.property('limit', 4096);
    });

    it('to a task that there is not with TaskNotFoundError', async () => {
      const { master } = await ready(loaded(echo), { key: 'gold' });
      expect((await master.ask(9)).value)
        .to.be.instanceOf(TaskNotFoundError)
        .that.includes({ worker: 'fixture', key: 'gold', task: 'task 9' });
    });

    it('in order and completely when there are many in one turn', async () => {
      const { master } = await ready(loaded(echo));
      const ids = Array.from({ length: 3000 }, (_, i) => master.call(0, i));
      await master.settled(ids.at(-1)!);
      const replies = master.heard.filter(({ kind }) => kind === 'REPLY');
      expect(replies.map(({ value }) => value)).to.deep.equal(ids.map((_, i) => i));
    });
  });

  describe('lets answers out', () => {
    it('of finished tasks before the next one begins, when the turn is older than a millisecond', async () => {
      let seen = 0;
      class Slow {
        go(milliseconds: number): void {
          for (const end = performance.now() + milliseconds; performance.now() < end;);
        }
        look(): void {
          seen = written;
        }
      }
      let written = 0;
      const { master } = await ready(loaded(workerOf(Slow, [taskOf('go'), taskOf('look')])));
      const ids = [master.call(0, 3), master.call(1)];
      master
        .hears(({ id }) => id === ids[0])
        .then(
          () => void (written = 1),
          () => {},
        );
      await master.settled(ids[1]!);
      expect(seen).to.equal(1);
    });

    it('of half of many quick calls before the other half is worked on, so that the master works meanwhile', async () => {
      const { master } = await ready(loaded(echo), {}, { clock: { now: () => 0 } });
      await master.roundTrip();
      const before = master.heard.length;
      master.reads.length = 0;
      const ids = Array.from({ length: 100 }, (_, i) => master.call(0, i));
      await master.settled(ids.at(-1)!);
      await master.roundTrip();
      expect(master.reads[0]! - before).to.equal(50);
    });

    it('of a few calls in one write', async () => {
      const { master } = await ready(loaded(echo), {}, { clock: { now: () => 0 } });
      await master.roundTrip();
      const before = master.heard.length;
      master.reads.length = 0;
      const ids = Array.from({ length: 16 }, (_, i) => master.call(0, i));
      await master.settled(ids.at(-1)!);
      await master.roundTrip();
      expect(master.reads[0]! - before).to.equal(16);
    });

    it('and other events in between: a task may rely on a timer while others are waiting', async () => {
      let turns = 0;
      class Busy {
        go(): number {
          setImmediate(() => turns++);
          for (const end = performance.now() + 2; performance.now() < end;);
          return turns;
        }
      }
      const { master } = await ready(loaded(workerOf(Busy, [taskOf('go')])));
      const ids = Array.from({ length: 10 }, () => master.call(0));
      expect((await master.settled(ids.at(-1)!)).value).to.be.greaterThan(7);
    });
  });

  describe('checks what it receives', () => {
    it('and passes on what the schema makes of it', async () => {
      const input = (value: unknown) =>
        typeof value === 'number' ? { value: value * 2 } : { issues: [{ message: 'no number', path: ['a', 1] }] };
      const { master } = await ready(loaded(workerOf(Echo, [taskOf('echo', { input })])));
      expect((await master.ask(0, 21)).value).to.equal(42);
      const { kind, value } = await master.ask(0, 'x');
      expect(kind).to.equal('FAILURE');
      expect(value)
        .to.be.instanceOf(BoundaryError)
        .that.deep.includes({ worker: 'fixture', task: 'echo', direction: 'input', issues: [{ message: 'no number', path: ['a', 1] }] });
    });

    it('so that a task which declares no input gets none', async () => {
      const { master } = await ready(loaded(workerOf(Echo, [taskOf('echo', { input: undefined })])));
      expect((await master.ask(0)).kind).to.equal('REPLY');
      expect((await master.ask(0, 1)).value).to.be.instanceOf(BoundaryError);
    });

    it('but not what it sends, unless both sides are to', async () => {
      const output = () => ({ issues: [{ message: 'never right' }] });
      const worker = loaded(workerOf(Echo, [taskOf('echo', { output })]));
      expect((await (await ready(worker)).master.ask(0, 1)).value).to.equal(1);
      const { value } = await (await ready(worker, { validate: 'both' })).master.ask(0, 1);
      expect(value).to.be.instanceOf(BoundaryError).with.property('direction', 'output');
    });

    it('and nothing when that is switched off', async () => {
      const input = () => ({ issues: [{ message: 'never right' }] });
      const { master } = await ready(loaded(workerOf(Echo, [taskOf('echo', { input })])), { validate: 'off' });
      expect((await master.ask(0, 'x')).value).to.equal('x');
    });
  });

  it('tells of an uncaught error of megabytes with its beginning', async () => {
    const error = Object.assign(new RangeError('m'.repeat(1_000_000)), { big: 1n << 8_000_000n });
    const { master } = await ready(
      loaded(echo, ({ onUncaughtError: stray }) => {
        stray(error);
        return {};
      }),
    );
    const { value } = await master.kind('STRAY');
    expect(value)
      .to.be.instanceOf(Error)
      .and.to.include({ name: 'RangeError', message: 'm'.repeat(500) });
  });
});
