import { expect } from 'chai';
import { pino } from 'pino';
import { Logger } from '../../src/logger.js';
import { guardedLogger } from '../../src/logging/guarded-logger.js';

describe("the guard of an application's logger", () => {
  it('keeps what it throws, itself or a child of it, from whoever logs', () => {
    class Failing extends Logger {
      override info(): void {
        throw new Error('the disk is full');
      }
      override child(): Logger {
        return new Failing();
      }
    }
    const failing: Logger = new Failing();
    const log = guardedLogger(failing);
    expect(() => log.info('x')).to.not.throw();
    expect(() => log.child({}).child({}).info('x')).to.not.throw();
  });

  it('leaves no rejection behind', async () => {
    const strays: unknown[] = [];
    const listener = (reason: unknown): unknown => strays.push(reason);
    process.on('unhandledRejection', listener);
    const rejecting = Object.assign(new Logger(), { info: () => Promise.reject(new Error('no network')) });
    guardedLogger(rejecting).info('x');
    await new Promise(resolve => setImmediate(resolve));
    process.off('unhandledRejection', listener);
    expect(strays).to.deep.equal([]);
  });

  it('is otherwise that logger: levels, bindings and what else it has; also of one that is frozen', () => {
    const lines: string[] = [];
    const own = pino({ base: null, level: 'warn' }, { write: line => lines.push(line) });
    const log = guardedLogger(own) as unknown as typeof own;
    log.child({ peer: 'p' }).warn({ a: 1 }, 'told');
    log.level = 'info';
    log.info('now, too');
    expect(log.isLevelEnabled('info')).to.equal(true);
    expect(lines.map(line => JSON.parse(line) as object)).to.have.nested.property('[0].peer', 'p');
    expect(lines).to.have.length(2);
    expect(guardedLogger(own)).to.equal(log);
    const heard: unknown[] = [];
    const frozen = Object.freeze(Object.assign(new Logger(), { info: (text: unknown) => heard.push(text) }));
    guardedLogger(frozen).info('x');
    expect(heard).to.deep.equal(['x']);
  });

  it('writes no key twice, whatever is logged or bound', () => {
    const lines: string[] = [];
    const log = guardedLogger(pino({ name: 'shop' }, { write: line => lines.push(line) }));
    const child = log.child({ user: 1, level: 'mine' }).child({ user: 2 });
    child.info({ user: 3, time: 4, pid: 5, msg: 'inner', name: 6, user_: 7 }, 'outer');
    child.info({ msg: 'alone' });
    child.info(new Error('whole'));
    for (const line of lines) {
      const keys = [...line.matchAll(/[{,]"(\w+)":/g)].map(([, key]) => key!).filter(key => !['type', 'message', 'stack'].includes(key));
      expect(keys).to.deep.equal([...new Set(keys)]);
    }
    const [first, second] = lines.map(line => JSON.parse(line) as Record<string, unknown>);
    expect(first).to.include({
      level: 30,
      name: 'shop',
      user: 1,
      user_: 2,
      user__: 3,
      user___: 7,
      time_: 4,
      pid_: 5,
      name_: 6,
      msg: 'outer',
      msg_: 'inner',
    });
    expect(second).to.include({ msg: 'alone' });
  });
});
