import { expect } from 'chai';
import { strictJson } from './strict-json.js';

describe('strictJson()', () => {
  it('gives what JSON.parse gives, for keys that are in several objects, too', () => {
    const text = String.raw`{"a":{"b":1,"c":"a\":{"},"d":[{"b":1},{"b":"}"}],"b":null}`;
    expect(strictJson(text)).to.deep.equal(JSON.parse(text));
  });

  it('refuses a key that an object has twice, at any depth, however it is written', () => {
    for (const text of ['{"a":1,"a":2}', String.raw`{"a":1,"\u0061":2}`, '{"x":[{"y":{"a":1,"b":{}, "a" :2}}]}'])
      expect(() => strictJson(text), text).to.throw(SyntaxError, 'is there twice');
    expect(() => strictJson('{"a"')).to.throw(SyntaxError);
  });
});
