import { expect } from 'chai';
import { z } from 'zod';
import { BoundaryError } from '../../src/errors.js';
import { toValidator } from '../../src/schema.js';

const MANY = 20_000;

/** What the error for it says, and how many parts of the value were looked at. */
function refusalOf(make: (part: z.ZodType) => z.ZodType, value: unknown): { error: BoundaryError; looked: number } {
  let looked = 0;
  const part = z.custom<string>(
    given => {
      looked++;
      return given === 'right';
    },
    { error: 'not right' },
  );
  const verdict = toValidator(make(part))(value);
  if (!verdict.issues) throw new Error('it was accepted');
  return { error: new BoundaryError({ direction: 'input', ...verdict }), looked };
}

const wrong = Array.from({ length: MANY }, () => 'wrong');
const byKey = Object.fromEntries(wrong.map((each, i) => [`k${i}`, each]));

describe('the issues of a value', () => {
  it('are all there is to say about a small one', () => {
    const { error } = refusalOf(part => z.object({ a: part, b: part }), { a: 'wrong', b: 1 });
    expect(error.issues).to.deep.equal([
      { message: 'not right', path: ['a'] },
      { message: 'not right', path: ['b'] },
    ]);
    expect(error).to.include({ issueCount: 2, message: 'invalid message: a: not right; b: not right' });
  });

  it('are the first ten and their number', () => {
    const { error } = refusalOf(part => z.array(part), wrong.slice(0, 15));
    expect(error.issues).to.have.length(10);
    expect(error.issueCount).to.equal(15);
    expect(error.message).to.match(/; and 5 others$/);
  });

  const shapes: readonly (readonly [string, (part: z.ZodType) => z.ZodType, unknown])[] = [
    ['a list', part => z.array(part), wrong],
    ['a list in an object', part => z.object({ tags: z.array(part) }), { tags: wrong }],
    ['a list of objects', part => z.array(z.object({ part })), wrong.map(each => ({ part: each }))],
    ['a record', part => z.record(z.string(), part), byKey],
    ['a tuple', part => z.tuple([part], part), wrong],
    ['a set', part => z.set(part), new Set(wrong.map((each, i) => `${each}${i}`))],
    ['a map', part => z.map(z.string(), part), new Map(Object.entries(byKey))],
    ['an option of a union', part => z.union([z.string(), z.array(part)]), wrong],
    ['a discriminated union', part => z.discriminatedUnion('t', [z.object({ t: z.literal('a'), x: z.array(part) }), z.object({ t: z.literal('b') })]), { t: 'a', x: wrong }], // prettier-ignore
    ['both sides of an intersection', part => z.intersection(z.array(part), z.array(part)), wrong],
    ['what is transformed', part => z.array(part).transform(list => list.length), wrong],
    ['what has a default', part => z.object({ x: z.array(part).default([]), y: z.array(part).optional() }), { x: wrong, y: wrong }],
    ['a recursive schema', part => {
      const node: z.ZodType = z.lazy(() => z.object({ parts: z.array(part), next: node.optional() }));
      return node;
    }, { parts: ['right'], next: { parts: wrong } }], // prettier-ignore
  ];

  for (const [name, make, value] of shapes) {
    it(`are searched for in a bounded part of a large one: ${name}`, () => {
      const { error, looked } = refusalOf(make, value);
      expect(error.issues.length).to.be.within(1, 10);
      expect(error.message.length).to.be.below(2000);
      expect(looked).to.be.below(5000);
    });
  }

  it('behind many parts that fit are found', () => {
    const parts = Array.from({ length: MANY }, () => 'right');
    const { error } = refusalOf(part => z.array(part), [...parts, 'wrong']);
    expect(error.issues).to.deep.equal([{ message: 'not right', path: [MANY] }]);
    expect(refusalOf(part => z.array(part).max(3), parts).error.message).to.match(/<=3 items/);
  });

  it('are short, whatever the message has in it', () => {
    const { error } = refusalOf(() => z.strictObject({}), { ['x'.repeat(1_000_000)]: 1, ...byKey });
    const keys = refusalOf(() => z.record(z.string(), z.number()), { ['y'.repeat(1_000_000)]: 'no' });
    for (const each of [error, keys.error]) expect(each.message.length).to.be.below(500);
  });

  it('of a schema that cannot cope with the size are told without the words of the language', () => {
    const verdict = toValidator({
      '~standard': {
        version: 1,
        vendor: 'recursive',
        validate: function deeper(value: unknown): unknown {
          return deeper([value]);
        },
      },
    })('x');
    expect(verdict).to.deep.equal({ issues: [{ message: 'the value is too large or too deep for its schema' }], broken: true });
  });

  it('of another library are asked for once, and told in the same way', () => {
    let asked = 0;
    const issues = wrong.map((message, i) => ({ message, path: [i] }));
    const verdict = toValidator({ '~standard': { version: 1, vendor: 'spec', validate: () => (asked++, { issues }) } })('x');
    expect(verdict.issues).to.have.length(10);
    expect(verdict).to.have.property('count', MANY);
    expect(asked).to.equal(1);
  });

  it('change nothing about what a schema makes of a value that fits', () => {
    const schema = z.object({ n: z.coerce.number(), list: z.array(z.string().trim()).default(['none']) });
    expect(toValidator(schema)({ n: '3' })).to.deep.equal({ value: { n: 3, list: ['none'] } });
    const large = Array.from({ length: 1000 }, (_, i) => ` ${i}`);
    expect(toValidator(schema)({ n: 1, list: large })).to.have.nested.property('value.list[999]', '999');
    const tree: z.ZodType = z.lazy(() => z.array(tree));
    expect(toValidator(tree)([[], [[]]])).to.deep.equal({ value: [[], [[]]] });
    expect(toValidator(tree)(Array.from({ length: 300 }, () => []))).to.have.nested.property('value[299]');
  });
});
