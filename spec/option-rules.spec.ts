import { expect } from 'chai';
import { show } from '../src/option-rules.js';

describe('a value in an error', () => {
  for (const [value, text] of [
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [undefined, 'undefined'],
    [null, 'null'],
    [5n, '5n'],
    ['NaN', '"NaN"'],
    [{ port: NaN, host: undefined, path: '/a' }, '{"port":NaN,"host":undefined,"path":"/a"}'],
    [[NaN, undefined, () => {}, Symbol('s')], '[NaN,undefined,a function,Symbol(s)]'],
    [{ big: 2n ** 70n }, '{"big":1180591620717411303424n}'],
    ['-----BEGIN PRIVATE KEY-----', 'a PEM'],
    [new Map(), 'an object of class Map'],
  ] as const)
    it(`is shown as it is written: ${text}`, () => {
      expect(show(value)).to.equal(text);
    });

  it('is shown although looking at it throws', () => {
    const rude = {
      get name(): never {
        throw new Error('no');
      },
    };
    expect(show(rude)).to.equal('[object Object]');
  });
});
