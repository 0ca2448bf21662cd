import { expect } from 'chai';
import { brief } from '../../../src/app/report/brief.js';
import { logEvents } from '../../../src/app/report/events-to-log.js';
import { errorForLog } from '../../../src/errors/error-for-log.js';
import { MessageTooLargeError, WorkerCrashedError } from '../../../src/errors.js';
import { Logger } from '../../../src/logger.js';
import { decodeValue, encodeValue } from '../../../src/wire/codec/codec.js';
import { Kind, MOST_STATUS } from '../../../src/wire/link/protocol.js';
import { UNREADABLE } from '../../fixtures/misbehaviour/unreadable.worker.js';
import { ready } from '../../kit/workers/runtime-rig.js';
import { loaded, taskOf, workerOf } from '../../kit/workers/worker-fixture.js';
import { rejection, Rig } from '../../workers/support/rig.js';

/** Texts that a log line or the runtime tree has of a value. */
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e]/;

/** Errors that share errors: written out, they double with each level. */
function shared(levels: number): Error {
  let error: Error = new Error('bottom');
  for (let i = 0; i < levels; i++)
    error = Object.assign(new Error('above', { cause: error }), { a: error, b: error, errors: [error, error] });
  return error;
}

/** Every character that a log is given of an error. */
function written(error: Error): string {
  const { name, message, stack, cause, errors = [] } = error as Error & { errors?: Error[] };
  const own = Object.entries(error).flat().map(String);
  return [name, message, stack, ...own, ...(cause instanceof Error ? [written(cause)] : []), ...errors.map(written)].join(' ');
}

class Recorder extends Logger {
  readonly lines: { readonly err: Error }[] = [];
  override error(object: unknown): void {
    this.lines.push(object as { err: Error });
  }
}

describe('what a worker says, told by its master', () => {
  const huge = Object.assign(new TypeError('m'.repeat(5_000_000)), {
    big: 1n << 4_000_000n,
    list: Array(100_000).fill({}),
    code: 'c'.repeat(1e6),
  });
  const errors: Record<string, unknown> = {
    'megabytes of text and a BigInt': huge,
    'errors that share errors': shared(30),
    'a stack that forges lines': Object.assign(new Error('a\n{"level":60}\u001b[2J\u009b2J\u2028'), {
      stack: 'x\u001b[2J\r\u202e'.repeat(1e5),
      level: 60,
    }),
    'a chain that goes round': Object.assign(new Error('round'), { cause: undefined }),
    ...Object.fromEntries(Object.entries(UNREADABLE).map(([name, make]) => [name, make()])),
  };
  (errors['a chain that goes round'] as Error).cause = errors['a chain that goes round'];

  for (const [name, error] of Object.entries(errors)) {
    it(`is an error of a few thousand characters, none of which a terminal obeys: ${name}`, () => {
      const text = written(errorForLog(error));
      expect(text.length).to.be.lessThan(60_000);
      expect(text).to.not.match(CONTROL);
    });
  }

  it('is an error with its class, code and causes, and of our own errors also the facts', () => {
    const error = Object.assign(new RangeError('far', { cause: new TypeError('why') }), { code: 'E_FAR', password: 'secret' });
    const told = errorForLog(error);
    expect(told).to.be.instanceOf(RangeError).and.to.include({ name: 'RangeError', message: 'far', code: 'E_FAR', stack: error.stack });
    expect(told.cause).to.be.instanceOf(TypeError).and.to.include({ message: 'why' });
    expect(written(told)).to.not.include('secret');
    const details = { pid: 7, exitCode: 3, signal: null, reason: 'exit', started: true, stderr: 'last words' } as const;
    const crash = new WorkerCrashedError({ worker: 'w', key: undefined, task: 't' }, details);
    expect(errorForLog(crash)).to.be.instanceOf(WorkerCrashedError).and.to.include({ pid: 7, exitCode: 3, stderr: 'last words' });
  });

  it('is a status on one short line, whatever it is', () => {
    const stack = new Error('x');
    stack.stack = 'Error: x\n└─ Workforce\n   └─ payments: 0 queued \u001b[2J';
    const nested: unknown[] = [];
    for (let i = 0, at = nested; i < 90; i++) at.push((at = []));
    const said: unknown[] = [
      1n << 4_000_000n,
      stack,
      Object.assign(new Error('y'.repeat(1e6)), { name: 'n\n'.repeat(1e5), stack: 'y'.repeat(8e6) }),
      'a\nb\u001b[2J'.repeat(1e5),
      { ['k\n'.repeat(1e5)]: 1 },
      Object.fromEntries(Array.from({ length: 1e4 }, (_, i) => [`k${i}`, i])),
      new Map(Array.from({ length: 50 }, (_, i) => [{ i }, 2n ** 100_000n])),
      new Set(Array.from({ length: 1e4 }, (_, i) => [i])),
      Buffer.alloc(1e6),
      new Float64Array(1e5),
      [new Date(NaN), shared(20)],
      nested,
      Array.from({ length: 1e5 }),
    ];
    for (const value of said) {
      const text = brief(decodeValue(encodeValue(value)));
      expect(text.length).to.be.within(1, 2000);
      expect(text).to.not.match(CONTROL).and.to.not.include('\n');
    }
    expect(brief({ serving: 'tenant', done: 3, list: [1, 'two'], at: 5n })).to.equal(
      "{ serving: 'tenant', done: 3, list: [ 1, 'two' ], at: 5n }",
    );
  });

  it(`is a status of at most ${MOST_STATUS} bytes: more costs the process its life, and is refused where it would be sent`, async () => {
    const rig = await Rig.started();
    const rejected = rejection<WorkerCrashedError>(rig.client().run(1));
    const worker = await rig.host.worker(1);
    worker.begun = (await worker.call()).id;
    worker.link.sendValue(Kind.STATUS, 0, 0, 'x'.repeat(MOST_STATUS));
    expect(await rejected).to.include({ reason: 'protocol' });
    await rig.close();

    class Talkative {
      say(_input: unknown, { status }: { status(value: unknown): void }): void {
        status('x'.repeat(MOST_STATUS));
      }
    }
    const { master } = await ready(loaded(workerOf(Talkative, [taskOf('say')])));
    const { value } = await master.ask(0);
    expect(value)
      .to.be.instanceOf(MessageTooLargeError)
      .and.to.have.property('message', `status is larger than a status may be (${MOST_STATUS} bytes)`);
  });

  it('is no more than a few hundred kilobytes of errors that nobody caused, however large they are', async () => {
    const log = new Recorder();
    const end = logEvents(log, '');
    const rig = await Rig.started();
    const worker = await rig.host.worker(1);
    for (const size of [1e5, 100]) {
      const error = encodeValue(new Error('m'.repeat(size)));
      for (let i = 0; i < 150; i++) worker.link.sendEncoded(Kind.STRAY, 0, 0, error);
      while (worker.link.bufferedBytes > 0) await new Promise(resolve => setImmediate(resolve));
    }
    await rig.settle();
    await rig.close();
    end();
    expect(log.lines.map(({ err }) => written(err).length).reduce((sum, length) => sum + length)).to.be.lessThan(512 * 1024);
    expect(log.lines.length).to.be.within(2, 100);
  });
});
