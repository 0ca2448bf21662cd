import { expect } from 'chai';
import { RecordLogger } from '../../src/logging/record-logger.js';

type Told = readonly [level: number, record: Readonly<Record<string, unknown>>, message: string | undefined];

function recording(least = 0) {
  const told: Told[] = [];
  const bound = { times: 0 };
  const log = new RecordLogger({ least: () => least, bound: () => void bound.times++, write: (...record) => void told.push(record) });
  return { told, bound, log };
}

describe('the logger of a worker', () => {
  it('hands on level, object and message, with the bindings of each logger', () => {
    const { told, bound, log } = recording();
    log.child({ handler: 'W' }).child({ user: 7 }).info({ user: 8, a: 1 }, 'logged in');
    log.error('alone');
    log.fatal({ only: true });
    expect(told).to.deep.equal([
      [30, { handler: 'W', user: 8, a: 1 }, 'logged in'],
      [50, {}, 'alone'],
      [60, { only: true }, undefined],
    ]);
    expect(bound.times).to.equal(2);
  });

  it('reads placeholders as pino does', () => {
    const { told, log } = recording();
    log.info('%s is %d', 'x', 5);
    log.info({ a: 1 }, 'no %s', 'more');
    expect(told.map(([, , message]) => message)).to.deep.equal(['x is 5', 'no more']);
  });

  it('has errors whole, alone or among other facts', () => {
    const { told, log } = recording();
    const error = new TypeError('no');
    log.error(error);
    log.error(error, 'failed');
    log.error({ err: error, a: 1 }, 'failed');
    expect(told).to.deep.equal([
      [50, { err: error }, 'no'],
      [50, { err: error }, 'failed'],
      [50, { err: error, a: 1 }, 'failed'],
    ]);
  });

  it('drops what is below its level', () => {
    const { told, log } = recording(40);
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log[level](level);
    expect(told.map(([level]) => level)).to.deep.equal([40, 50, 60]);
  });

  it('throws at nobody, whatever is logged, and keeps it small', () => {
    const { told, log } = recording();
    const circle: Record<string, unknown> = { big: 10n, at: new Date(0), run: () => {}, url: new URL('http://a/') };
    circle['self'] = circle;
    log.info(circle);
    const rude = {
      get secret(): string {
        throw new Error('not for you');
      },
    };
    log.info(rude);
    log.info({ many: Array.from({ length: 1e5 }, (_, i) => i), deep: JSON.parse('['.repeat(500) + ']'.repeat(500)) as unknown });
    const [first, second, third] = told.map(([, record]) => record) as [Record<string, unknown>, object, { many: unknown[] }];
    expect(first).to.include({ big: '10', at: '1970-01-01T00:00:00.000Z', url: 'http://a/' }).and.to.have.property('run', undefined);
    expect(second).to.deep.equal({ unreadable: 'not for you' });
    expect(third.many.length).to.be.at.most(1000);
  });
});
