import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import {
  AbortError,
  circuitBreaker,
  CircuitOpenError,
  OperationTimeoutError,
  rateLimit,
  RateLimitError,
  retry,
  timeout,
  UsageError,
  type AroundFunction,
  type CallAround,
  type NextOptions,
} from 'packet-ts';

const context: CallAround = {
  kind: 'call',
  name: 'w.look',
  worker: 'w',
  key: undefined,
  task: 'look',
  input: 1,
  signal: undefined,
  carrier: {},
};

/** Runs what fails so often, then answers. */
function failing(times: number, error = new Error('no')) {
  const runs = { count: 0 };
  const next = (): Promise<string> => (++runs.count <= times ? Promise.reject(error) : Promise.resolve('yes'));
  return { runs, next };
}

async function failure(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

describe('retry()', () => {
  const soon: AroundFunction = retry({ attempts: 3, delay: 1, jitter: false });

  it('tries again what failed, up to so many times in all', async () => {
    const { runs, next } = failing(2);
    expect(await soon(context, next)).to.equal('yes');
    expect(runs.count).to.equal(3);
  });

  it('gives the last error when all attempts have failed', async () => {
    const { runs, next } = failing(9);
    expect(await failure(() => soon(context, next))).to.have.property('message', 'no');
    expect(runs.count).to.equal(3);
  });

  it('does not try again where the caller is wrong, or has given up', async () => {
    for (const error of [new UsageError('wrong'), new AbortError('gone')]) {
      const { runs, next } = failing(1, error);
      expect(await failure(() => soon(context, next))).to.equal(error);
      expect(runs.count).to.equal(1);
    }
  });

  it('asks `when` where that is given', async () => {
    const { runs, next } = failing(1);
    await failure(() => retry({ delay: 1, when: () => false })(context, next));
    expect(runs.count).to.equal(1);
  });

  it('stops when nobody waits any more', async () => {
    const { runs, next } = failing(9);
    const signal = AbortSignal.abort();
    await failure(() => retry({ delay: '1h' })({ ...context, signal }, next));
    expect(runs.count).to.equal(1);
  });

  it('does not let a caller that gives up wait for the pause', async () => {
    const control = new AbortController();
    const { runs, next } = failing(9);
    const outcome = failure(() => retry({ delay: '1h', maxDelay: '1h', jitter: false })({ ...context, signal: control.signal }, next));
    // The pause has begun when the failure is through.
    await new Promise(setImmediate);
    control.abort(new Error('left'));
    const error = await outcome;
    expect(error).to.be.instanceOf(AbortError).with.property('cause').with.property('message', 'left');
    expect(runs.count).to.equal(1);
    expect(getEventListeners(control.signal, 'abort')).to.have.length(0);
  });

  it('leaves no listener at the signal of a caller that stays', async () => {
    const { signal } = new AbortController();
    const { next } = failing(2);
    expect(await soon({ ...context, signal }, next)).to.equal('yes');
    expect(getEventListeners(signal, 'abort')).to.have.length(0);
  });

  it('tries again what is thrown at once, and what is no error', async () => {
    let runs = 0;
    const next = (): string => {
      // oxlint-disable-next-line typescript/only-throw-error -- any code may do it
      if (++runs === 1) throw 'text';
      return 'yes';
    };
    expect(await soon(context, next)).to.equal('yes');
  });
});

describe('timeout()', () => {
  it('rejects what takes longer, and aborts it', async () => {
    let aborted: AbortSignal | undefined;
    const next = (how?: NextOptions): Promise<never> => {
      aborted = how?.signal;
      return new Promise(() => {});
    };
    const error = await failure(() => timeout('5ms')(context, next));
    expect(error).to.be.instanceOf(OperationTimeoutError);
    expect(error).to.include({ operation: 'w.look', timeout: 5, code: 'ERR_PACKET_OPERATION_TIMEOUT', statusCode: 504 });
    expect(aborted?.aborted).to.equal(true);
  });

  it('aborts a call with that error as the reason', async () => {
    const reason = new Promise<unknown>(resolve => {
      const next = (how?: NextOptions): Promise<never> =>
        new Promise((_, reject) => {
          how!.signal!.addEventListener('abort', () => {
            resolve(how!.signal!.reason);
            reject(new AbortError('too late'));
          });
        });
      void failure(() => timeout('5ms')(context, next));
    });
    expect(await reason).to.be.instanceOf(OperationTimeoutError);
  });

  it('leaves alone what is in time, and its errors', async () => {
    expect(await timeout('1m')(context, () => 'yes')).to.equal('yes');
    expect(await failure(() => timeout('1m')(context, failing(1).next))).to.have.property('message', 'no');
  });
});

describe('rateLimit()', () => {
  it('lets so many through and refuses the others', async () => {
    const limit = rateLimit({ limit: 2, per: '1h' });
    const outcomes = [1, 2].map(() => limit(context, () => 'yes'));
    expect(outcomes).to.deep.equal(['yes', 'yes']);
    const error = await failure(() => limit(context, () => 'yes'));
    expect(error).to.be.instanceOf(RateLimitError);
    expect(error).to.include({ operation: 'w.look', limit: 2, per: 3_600_000, statusCode: 429 });
    expect((error as RateLimitError).retryAfter).to.be.within(1, 1_800_000);
  });

  it('counts each key by itself', () => {
    const limit = rateLimit({ limit: 1, per: '1h', key: of => (of.kind === 'call' ? String(of.input) : '') });
    expect(['a', 'b', 'c'].map(input => limit({ ...context, input }, () => input))).to.deep.equal(['a', 'b', 'c']);
    expect(() => limit({ ...context, input: 'a' }, () => 'a')).to.throw(RateLimitError);
  });

  it('forgets the key that was longest unused beyond ten thousand', () => {
    const limit = rateLimit({ limit: 1, per: '1h', key: of => (of.kind === 'call' ? String(of.input) : '') });
    for (let input = 0; input <= 10_000; input++) limit({ ...context, input }, () => input);
    expect(limit({ ...context, input: 0 }, () => 'again')).to.equal('again');
    expect(() => limit({ ...context, input: 10_000 }, () => 'again')).to.throw(RateLimitError);
  });
});

describe('circuitBreaker()', () => {
  it('refuses at once after failures in succession, each operation by itself', async () => {
    const breaker = circuitBreaker({ failures: 2, openFor: '1h' });
    const { runs, next } = failing(9);
    for (let i = 0; i < 2; i++) expect(await failure(() => breaker(context, next))).to.have.property('message', 'no');
    const error = await failure(() => breaker(context, next));
    expect(error).to.be.instanceOf(CircuitOpenError);
    expect(error).to.include({ operation: 'w.look', statusCode: 503 });
    expect(runs.count).to.equal(2);
    expect(await breaker({ ...context, name: 'w.other' }, () => 'yes')).to.equal('yes');
  });

  it('lets one through when its time is over, and closes when that succeeds', async () => {
    const breaker = circuitBreaker({ failures: 1, openFor: 1 });
    const { next } = failing(1);
    await failure(() => breaker(context, next));
    let answer: unknown;
    while (answer === undefined)
      answer = await (breaker(context, next) as Promise<unknown>).catch(
        (error: unknown) => void expect(error).to.be.instanceOf(CircuitOpenError),
      );
    expect(answer).to.equal('yes');
  });

  it('lets one at a time through when its time is over, and opens again when that fails', async () => {
    const breaker = circuitBreaker({ failures: 1, openFor: 0 });
    await failure(() => breaker(context, failing(1).next));
    let fail!: (error: Error) => void;
    const trial = failure(() => breaker(context, () => new Promise((_, reject) => (fail = reject))));
    expect(await failure(() => breaker(context, () => 'no')), 'beside it').to.be.instanceOf(CircuitOpenError);
    fail(new Error('still down'));
    expect(await trial).to.have.property('message', 'still down');
    // What the caller did wrong says nothing about the other side: the next one is let through, too.
    await failure(() => breaker(context, failing(1, new UsageError('wrong')).next));
    expect(await breaker(context, () => 'yes')).to.equal('yes');
    expect(await Promise.all([breaker(context, () => 1), breaker(context, () => 2)]), 'it is closed').to.deep.equal([1, 2]);
  });

  it('does not count what the caller did wrong', async () => {
    const breaker = circuitBreaker({ failures: 1, openFor: '1h' });
    await failure(() => breaker(context, failing(1, new UsageError('wrong')).next));
    expect(await breaker(context, () => 'yes')).to.equal('yes');
  });
});

describe('options of what stands around', () => {
  it('that do not exist, or are not what they must be, are told at once', () => {
    // What the types forbid, JavaScript gives all the same.
    const wrong: readonly [() => unknown, RegExp][] = [
      [() => retry({ attempts: 0 }), /retry\(\): attempts is 0: expected a whole number, 1 or more/],
      [() => retry({ tries: 3 } as never), /retry\(\) has no option 'tries'/],
      [() => timeout(0), /timeout\(0\): expected a duration/],
      [() => timeout('soon' as never), /timeout\("soon"\)/],
      [() => rateLimit({ limit: 1 } as never), /rateLimit\(\): per is missing/],
      [() => circuitBreaker({ kinds: ['calls'] as never }), /kinds is \["calls"\]: expected a list of 'message'/],
    ];
    for (const [make, message] of wrong) expect(make).to.throw(UsageError, message);
  });
});
