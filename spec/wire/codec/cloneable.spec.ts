import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { MessageTooLargeError, NotCloneableError } from '../../../src/errors.js';
import { decodeValue, encodeValue } from '../../../src/wire/codec/codec.js';

function refused(value: unknown, root?: string): NotCloneableError {
  try {
    encodeValue(value, 0, root);
  } catch (error) {
    expect(error).to.be.instanceOf(NotCloneableError);
    return error as NotCloneableError;
  }
  throw new Error('it was encoded');
}

const deep = (levels: number): unknown => {
  let value: unknown = 'bottom';
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { value };
  return value;
};

describe('a value that cannot be copied', () => {
  const callback = (): void => undefined;
  const cases: readonly (readonly [name: string, value: unknown, path: string, what: RegExp])[] = [
    ['a function', callback, 'input', /^cannot be sent to another process: input is a function \(callback\)$/],
    ['a class', { type: class Tenant {} }, 'input.type', /is a function \(Tenant\)/],
    ['a symbol', [Symbol('tag')], 'input[0]', /is a symbol \(tag\)/],
    ['a function in an object', { user: { callback } }, 'input.user.callback', /is a function/],
    ['a function in an array', [0, 1, 2, { x: callback }], 'input[3].x', /is a function/],
    ['a key that is no identifier', { 'a-b': { 1: callback } }, 'input["a-b"]["1"]', /is a function/],
    ['a value of a Map', new Map([['k', [callback]]]), 'input.get("k")[0]', /is a function/],
    ['a key of a Map', new Map([[callback, 1]]), 'input.keys[0]', /is a function/],
    ['a member of a Set', new Set([1, callback]), 'input.values[1]', /is a function/],
    ['a Promise', { later: Promise.resolve() }, 'input.later', /is a Promise/],
    ['a WeakMap', { cache: new WeakMap() }, 'input.cache', /is a WeakMap/],
    ['a WeakRef', [new WeakRef({})], 'input[0]', /is a WeakRef/],
    ['a generator', (function* () {})(), 'input', /is a Generator/],
    ['a stream', { body: new PassThrough() }, 'input.body', /is a PassThrough \(an event emitter\)/],
    ['an event emitter', { bus: new EventEmitter() }, 'input.bus', /is an EventEmitter/],
    ['a URL', { link: new URL('http://localhost/') }, 'input.link', /is a URL/],
    ['an AbortSignal', { signal: AbortSignal.abort() }, 'input.signal', /is an AbortSignal/],
    ['a web stream', { body: new ReadableStream() }, 'input.body', /is a ReadableStream/],
    ['shared memory', { memory: new SharedArrayBuffer(8) }, 'input.memory', /is a SharedArrayBuffer/],
    ['a view of shared memory', [new Uint8Array(new SharedArrayBuffer(8))], 'input[0]', /is a view of a SharedArrayBuffer/],
    ['a boxed symbol', { tag: Object(Symbol()) as object }, 'input.tag', /is a boxed symbol/],
    [
      'a getter that throws',
      {
        get x(): never {
          throw new Error('not\ntoday');
        },
      },
      'input.x',
      /is a getter that throws \(not today\)/,
    ],
    [
      'a proxy that throws',
      {
        p: new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Error('no');
            },
          },
        ),
      },
      'input',
      /cannot be read \(no\)/,
    ],
    ['more levels than 100', deep(101), `input${'.value[0]'.repeat(50).replace(/^\.value/, '')}`, /nested deeper than 100 levels/],
  ];
  for (const [name, value, path, what] of cases) {
    it(`is refused with its path: ${name}`, () => {
      const error = refused(value);
      expect(error.message).to.match(what);
      if (name !== 'more levels than 100') expect(error.path).to.equal(path);
      expect(error.code).to.equal('ERR_PACKET_NOT_CLONEABLE');
      expect(error.message).not.to.contain('\n');
    });
  }

  it('is called what the caller calls it', () => expect(refused({ f: callback }, 'output').path).to.equal('output.f'));

  it('may nest 100 levels', () => expect(decodeValue(encodeValue(deep(100)))).to.deep.equal(deep(100)));

  it('is found in a cycle', () => {
    const value: Record<string, unknown> = { first: {} };
    value['self'] = value;
    value['last'] = callback;
    expect(refused(value).path).to.equal('input.last');
  });

  it('is found behind the same object, seen before', () => {
    const shared = { fine: true };
    expect(refused([shared, shared, { shared, bad: callback }]).path).to.equal('input[2].bad');
  });

  it('leaves the encoder ready for the next value, and for one inside a getter', () => {
    refused(Array.from({ length: 100 }, () => ({ callback })));
    const value = {
      a: 1,
      get b(): number {
        return encodeValue({ inner: [1, 2, 3] }).length;
      },
    };
    expect(decodeValue(encodeValue([value, 'end']))).to.deep.equal([{ a: 1, b: encodeValue({ inner: [1, 2, 3] }).length }, 'end']);
  });

  it('is not a proxy that answers like an object', () => {
    expect(decodeValue(encodeValue(new Proxy({ a: 1 }, {})))).to.deep.equal({ a: 1 });
  });

  it('is not a subclass that answers oddly: what the language knows of it counts', () => {
    const odd = [
      Object.defineProperty(/a/g, 'source', { value: '(' }),
      Object.defineProperty(Object(1) as object, 'valueOf', { value: () => ({}) }),
      new (class extends Map<unknown, unknown> {
        override [Symbol.iterator](): MapIterator<[unknown, unknown]> {
          throw new Error('never');
        }
      })([['key', 1]]),
    ];
    const [regexp, box, map] = decodeValue(encodeValue(odd)) as [RegExp, object, Map<unknown, unknown>];
    expect(String(regexp)).to.equal('/a/g');
    expect(box.valueOf()).to.equal(1);
    expect([...map]).to.deep.equal([['key', 1]]);
    const endless = new Proxy([1, 2], { get: (target, key): unknown => (key === 'length' ? -5 : Reflect.get(target, key)) });
    expect(() => encodeValue(endless)).to.throw(MessageTooLargeError);
  });
});
