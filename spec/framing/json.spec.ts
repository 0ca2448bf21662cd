import { expect } from 'chai';
import fc from 'fast-check';
import { FramingError, json } from '../../src/framing/index.js';
import { conformance } from '../../src/testing/conformance.js';
import { decoded, encoded, survivesAnyBytes, survivesAnyCut } from './kit.js';

describe('json()', () => {
  conformance(json(), {
    samples: [
      { bytes: '{"a":[1,"\\n"]}\r\nnull\n\n\r\n  false \n"grüße 👋"', messages: [{ a: [1, '\n'] }, null, false, 'grüße 👋'] },
      { bytes: `["${'x'.repeat(2 ** 20)}"]\n`, messages: [['x'.repeat(2 ** 20)]] },
    ],
    garbage: ['{', '{}x\n', 'undefined\n', "{'a':1}\n", '[1,]\n', '{"a":1\n}', '{"__proto__":{}}\n', '\ufeff{}\n', ' \n'],
  });

  it('delivers any document as it was sent, however it is cut', () => {
    // A document with such a key is refused.
    const documents = fc.jsonValue().filter(value => !JSON.stringify(value).includes('"__proto__"'));
    survivesAnyCut(json(), documents, (actual, expected) => expect(actual).to.deep.equal(JSON.parse(JSON.stringify(expected))));
  });

  it('raises nothing but FramingErrors', () => survivesAnyBytes(json(), ['{', '}', '[', ']', '"', '\n', '1', 'null\n', '\\']));

  it('sends nothing that would lose what is in it, and says what and where that is', () => {
    class Account {
      readonly #balance = 7;
      *[Symbol.iterator](): Generator<number> {
        yield this.#balance;
      }
    }
    for (const [message, what] of [
      [undefined, 'undefined'],
      [() => 1, 'function'],
      [Symbol('x'), 'symbol'],
      [new Map([[1, 2]]), 'Map'],
      [{ users: { seen: new Set() } }, 'Set at users.seen'],
      [[{}, /x/], 'RegExp at 1'],
      [{ user: Promise.resolve(1) }, 'Promise at user'],
      [{ error: new Error('lost') }, 'Error at error'],
      [{ bytes: new ArrayBuffer(3) }, 'ArrayBuffer at bytes'],
      [[1].values(), 'Array Iterator'],
      [[new Account()], 'Account at 0'],
    ] as const)
      expect(() => encoded(json(), message), what).to.throw(TypeError, `json() cannot encode ${what}`);
    expect(() => encoded(json(), 1n)).to.throw(TypeError, 'BigInt');
  });

  it('sends what is empty, what says itself how it is written, and texts that look like it', () => {
    class Nothing {}
    const messages = [{}, [{ a: {} }], Object.create(null), new Nothing(), '{}', new Date(0), { toJSON: () => ({}) }, Buffer.alloc(0)];
    const sent = [...messages, Object(''), { bytes: new Uint8Array() }].map(message => encoded(json(), message).toString().trim());
    expect(sent).to.deep.equal([
      '{}',
      '[{"a":{}}]',
      '{}',
      '{}',
      '"{}"',
      '"1970-01-01T00:00:00.000Z"',
      '{}',
      '{"type":"Buffer","data":[]}',
      '""',
      '{"bytes":{}}',
    ]);
  });

  it('says of a line that is no JSON what the parser says', () => {
    expect(() => decoded(json(), ['{]\n']))
      .to.throw(FramingError, 'not a JSON document')
      .with.property('cause')
      .instanceOf(SyntaxError);
  });

  it('delivers the documents before a line that is none', () => {
    const decoder = json().decoder(Infinity);
    decoder.push(Buffer.from('1\n2\nx\n'));
    expect([decoder.next(), decoder.next()]).to.deep.equal([1, 2]);
    expect(() => decoder.next()).to.throw(FramingError);
  });

  it('refuses keys that poison prototypes, however they are spelled', () => {
    for (const document of [
      '{"__proto__":1}',
      '[[{"a":{"__proto__":{"admin":true}}}]]',
      '{"\\u005f_proto__":1}',
      '{"__pr\\u006Fto__":1}',
      '{"constructor":{"prototype":{"x":1}}}',
      '{"c\\u006fnstructor":{"prot\\u006ftype":1}}',
    ]) {
      expect(() => decoded(json(), [`${document}\n`]), document).to.throw(FramingError, '__proto__');
    }
  });

  it('takes the same words elsewhere for what they are', () => {
    const documents = [
      '["__proto__"]',
      '{"a":"__proto__"}',
      '{"constructor":"Ferrari"}',
      '{"prototype":1,"toString":2}',
      '{"constructor":{"name":"x"}}',
      '{"a":"\\u005f"}',
    ];
    for (const document of documents) expect(decoded(json(), [`${document}\n`]), document).to.deep.equal([JSON.parse(document)]);
  });

  it('takes 100 levels and no more', () => {
    const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}\n`;
    expect(decoded(json(), [nested(100)])).to.have.length(1);
    for (const depth of [101, 100_000]) expect(() => decoded(json(), [nested(depth)])).to.throw(FramingError, '100 levels');
    // Brackets in strings nest nothing.
    const text = '[{"\\"'.repeat(60);
    expect(decoded(json(), [`${JSON.stringify([text, text])}\n`])).to.deep.equal([[text, text]]);
  });

  it('throws for what JSON cannot say', () => {
    for (const message of [undefined, () => {}, Symbol('x')]) expect(() => json().encode(message)).to.throw(TypeError, 'json()');
    expect(() => json().encode(1n)).to.throw(TypeError);
  });

  it('is the document alone in a datagram', () => {
    expect(encoded(json().whole!, { a: 1 }).toString()).to.equal('{"a":1}');
    expect(decoded(json().whole!, ['{"a":1}'])).to.deep.equal([{ a: 1 }]);
    expect(decoded(json().whole!, [''])).to.deep.equal([]);
  });
});
