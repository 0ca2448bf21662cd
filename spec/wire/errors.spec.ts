import { expect } from 'chai';
import { types } from 'node:util';
import {
  AbortError,
  BoundaryError,
  NotCloneableError,
  PacketError,
  WorkerCrashedError,
  WorkerTimeoutError,
  errorClasses,
} from '../../src/errors.js';
import { registerTransferable } from '../../src/transferable.js';
import { decodeValue, encodeValue } from '../../src/wire/codec/codec.js';

const copy = <T>(value: T): T => decodeValue(encodeValue(value)) as T;

class TenantError extends Error {
  static made = 0;
  readonly tenant: string;

  constructor(tenant: string) {
    super(`tenant ${tenant} is over its quota`);
    TenantError.made++;
    this.tenant = tenant;
  }

  get loud(): string {
    return this.message.toUpperCase();
  }
}
registerTransferable('spec/tenant_error', TenantError);

describe('an error on the wire', () => {
  it('keeps its class when the language has it, its message and its stack', () => {
    for (const type of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
      const error = new type('what happened');
      const received = copy(error);
      expect(received).to.be.instanceOf(type);
      expect(Object.getPrototypeOf(received)).to.equal(type.prototype);
      expect(types.isNativeError(received)).to.equal(true);
      expect([received.message, received.name, received.stack]).to.deep.equal([error.message, error.name, error.stack]);
      expect(Object.keys(received)).to.deep.equal([]);
    }
  });

  it('keeps its class when that is registered, without running the constructor', () => {
    const error = new TenantError('gold');
    const { made } = TenantError;
    const received = copy(error);
    expect(received).to.be.instanceOf(TenantError);
    expect(received.loud).to.equal('TENANT GOLD IS OVER ITS QUOTA');
    expect(Object.keys(received)).to.deep.equal(['tenant']);
    expect(TenantError.made).to.equal(made);
  });

  it('arrives as Error with its name when the class is not registered, a subclass of a registered one too', () => {
    class Unknown extends TenantError {
      override readonly name = 'UnknownError';
      readonly code = 'E_UNKNOWN';
    }
    const received = copy(new Unknown('x'));
    expect(Object.getPrototypeOf(received)).to.equal(Error.prototype);
    expect(received).to.include({ name: 'UnknownError', code: 'E_UNKNOWN', tenant: 'x' });
  });

  it('keeps a name and a code that sit on an unknown class', () => {
    class Quiet extends Error {}
    Object.defineProperty(Quiet.prototype, 'name', { value: 'QuietError' });
    Object.defineProperty(Quiet.prototype, 'code', { value: 'E_QUIET' });
    expect(copy(new Quiet('q'))).to.include({ name: 'QuietError', code: 'E_QUIET', message: 'q' });
  });

  it('arrives as Error when the receiving side does not know the class', () => {
    const bytes = Buffer.from(encodeValue(new TenantError('x')));
    bytes.write('spec/nobody_error', bytes.indexOf('spec/tenant_error'));
    const received = decodeValue(bytes) as TenantError;
    expect(Object.getPrototypeOf(received)).to.equal(Error.prototype);
    expect(received.tenant).to.equal('x');
  });

  it('keeps code, own properties, an own name, and properties named like nothing good', () => {
    const error = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', errno: -111, at: new Date(5), name: 'Own' });
    Object.defineProperty(error, '__proto__', { value: 1, enumerable: true });
    const received = copy(error);
    expect(received.code).to.equal('ECONNREFUSED');
    expect(received.at).to.deep.equal(new Date(5));
    expect(Object.keys(received)).to.have.members(['code', 'errno', 'at', 'name', '__proto__']);
    expect(received).to.be.instanceOf(Error);
  });

  it('keeps the chain of causes, whatever they are', () => {
    const received = copy(new Error('outer', { cause: new TypeError('middle', { cause: { plain: [1] } }) }));
    expect(received.cause).to.be.instanceOf(TypeError);
    expect((received.cause as Error).cause).to.deep.equal({ plain: [1] });
    expect(Object.hasOwn(copy(new Error('none')), 'cause')).to.equal(false);
    expect(Object.hasOwn(copy(new Error('undefined', { cause: undefined })), 'cause')).to.equal(true);
  });

  it('keeps a cause that is the error itself', () => {
    const error = new Error('loop');
    error.cause = error;
    const received = copy(error);
    expect(received.cause).to.equal(received);
  });

  it('keeps the errors of an AggregateError', () => {
    const received = copy(new AggregateError([new RangeError('one'), 'two', new TenantError('three')], 'all of them'));
    expect(received).to.be.instanceOf(AggregateError);
    expect(received.errors[0]).to.be.instanceOf(RangeError);
    expect(received.errors[1]).to.equal('two');
    expect(received.errors[2]).to.be.instanceOf(TenantError);
  });

  it('keeps what AbortSignal and AbortController give as reasons', () => {
    for (const name of ['AbortError', 'TimeoutError', 'DataCloneError']) {
      const received = copy(new DOMException('it took too long', name));
      expect(received).to.be.instanceOf(DOMException);
      expect([received.name, received.message, received.code]).to.deep.equal([name, 'it took too long', new DOMException('', name).code]);
    }
    expect(copy(AbortSignal.abort().reason as Error).name).to.equal('AbortError');
  });

  it('keeps every class of the framework', () => {
    for (const [name, type] of Object.entries(errorClasses)) {
      const error = Object.setPrototypeOf(new Error('m'), type.prototype as object) as PacketError;
      Object.assign(error, { code: 'ERR_PACKET_X' });
      const received = copy(error);
      expect(Object.getPrototypeOf(received), name).to.equal(type.prototype);
      expect(received).to.be.instanceOf(PacketError);
      expect([received.name, received.code]).to.deep.equal([name, 'ERR_PACKET_X']);
    }
  });

  it('keeps the fields of the framework’s errors', () => {
    const call = { worker: 'eval', key: undefined, task: 'evaluate' };
    const crash = new WorkerCrashedError(call, {
      pid: 5,
      exitCode: null,
      signal: 'SIGKILL',
      reason: 'signal',
      started: 'maybe',
      stderr: 'last words',
      previous: [new WorkerTimeoutError(call, 1000)],
    });
    const received = copy(crash);
    expect(received).to.be.instanceOf(WorkerCrashedError);
    expect(received).to.include({ pid: 5, exitCode: null, signal: 'SIGKILL', started: 'maybe', stderr: 'last words', key: undefined });
    expect(received.previous[0]).to.be.instanceOf(WorkerTimeoutError);
    expect(copy(new BoundaryError({ direction: 'input', issues: [{ message: 'no', path: ['a', 0] }] })).issues).to.deep.equal([
      { message: 'no', path: ['a', 0] },
    ]);
    expect(copy(new NotCloneableError('input.x', 'a function')).path).to.equal('input.x');
    const reason = new Error('why');
    expect((copy(new AbortError(reason)).cause as Error).message).to.equal('why');
  });

  it('leaves behind what cannot be copied of it, and arrives', () => {
    const shared = { shared: true };
    const error = Object.assign(new Error('request failed', { cause: () => 'no' }), {
      before: shared,
      request: { url: '/', again: shared, only: { here: 1 }, agent: { callback: (): void => undefined } },
    });
    Object.defineProperty(error, 'broken', {
      enumerable: true,
      get: () => {
        throw new Error('broken');
      },
    });
    Object.assign(error, { after: [shared] });
    const received = copy({ list: Array.from({ length: 40 }, (_, index) => ({ index })), error, shared, error2: error });
    expect(received.error.message).to.equal('request failed');
    expect(Object.keys(received.error)).to.deep.equal(['before', 'request', 'after']);
    expect((received.error as Error & { request?: unknown }).request).to.deep.equal({ url: '/', again: shared, only: { here: 1 } });
    expect(received.error.before).to.equal(received.shared);
    expect((received.error as Error & { after?: unknown[] }).after?.[0]).to.equal(received.shared);
    expect(received.error2).to.equal(received.error);
  });

  it('leaves behind what is too large of it', () => {
    const received = decodeValue(encodeValue(Object.assign(new Error('e'), { body: Buffer.alloc(100_000), status: 500 }), 10_000)) as Error;
    expect(Object.keys(received)).to.deep.equal(['status']);
  });

  it('arrives when nothing about it is as it should be', () => {
    const error = new Error('odd');
    Object.defineProperty(error, 'stack', {
      get() {
        throw new Error('no stack');
      },
    });
    Object.assign(error, { message: { not: 'a string' } });
    Object.defineProperty(error, 'constructor', { value: null });
    const received = copy(error);
    expect(received).to.be.instanceOf(Error);
    expect(received.stack).to.equal('Error: ');
  });

  it('brings no stack of the place where it was decoded, and leaves the limit of stacks alone', () => {
    const limit = Error.stackTraceLimit;
    const error = new Error('e');
    error.stack = 'Error: e\n    at the other side';
    expect(copy(error).stack).to.equal('Error: e\n    at the other side');
    expect(Error.stackTraceLimit).to.equal(limit);
  });
});
