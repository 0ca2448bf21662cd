import { expect } from 'chai';
import { decodeValue, encodeValue } from '../../../src/wire/codec/codec.js';

describe('collections in a property of an error', () => {
  const arrived = (property: unknown): unknown => {
    const error = decodeValue(encodeValue(Object.assign(new Error('x'), { property }))) as { property?: unknown };
    return error.property;
  };

  it('arrive without what cannot be copied of them', () => {
    const map = new Map<unknown, unknown>([
      ['status', 503],
      ['retry', () => {}],
      [
        'nested',
        new Map<unknown, unknown>([
          ['a', 1],
          ['b', Symbol('b')],
        ]),
      ],
    ]);
    expect(arrived(map)).to.deep.equal(
      new Map<unknown, unknown>([
        ['status', 503],
        ['nested', new Map([['a', 1]])],
      ]),
    );
    expect(arrived(new Set([1, () => {}, 'two']))).to.deep.equal(new Set([1, 'two']));
  });

  it('are left out where nothing of them can be copied', () => {
    expect(arrived(new Map([['only', () => {}]]))).to.equal(undefined);
    expect(arrived(new Set([() => {}]))).to.equal(undefined);
  });
});
