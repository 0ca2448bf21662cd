import { expect } from 'chai';
import { mutantsOf, mutate, shuffled } from '../../scripts/mutants/find.js';
import { Random } from '../kit/random.js';

/** The texts that the mutants of one kind make of a program. */
function made(text: string, kind: string): string[] {
  return mutantsOf(text)
    .filter(mutant => mutant.kind === kind)
    .map(mutant => mutate(text, mutant));
}

describe('the mutants of compiled code', () => {
  it('turn comparisons, conditions, negations, booleans and constants', () => {
    expect(made('a = b <= c;', 'comparison')).to.deep.equal(['a = b > c;']);
    expect(made('a = b && c || d;', 'logic')).to.deep.equal(['a = b || c || d;', 'a = b && c && d;']);
    expect(made('if (a(b))\n    c = 1;', 'condition')).to.deep.equal(['if (!(a(b)))\n    c = 1;']);
    expect(made('a = !b.c;', 'negation')).to.deep.equal(['a = b.c;']);
    expect(made('a = true;', 'boolean')).to.deep.equal(['a = false;']);
    expect(made('a = [0, 1_000];', 'constant')).to.deep.equal(['a = [1, 1_000];', 'a = [0, 0];']);
  });

  it('remove calls whose value is not used, over several lines too, and no others', () => {
    expect(made('    this.#a?.b(c, () => {\n        d = 1;\n    });\n', 'call removed')).to.deep.equal(['    ;\n']);
    expect(made('    await a.b();\n', 'call removed')).to.deep.equal(['    ;\n']);
    for (const text of ['a = b();', 'super(a);', 'if (a(b)) c = 1;', 'class A {\n    b() {\n    }\n}', 'throw a(b);'])
      expect(made(text, 'call removed'), text).to.deep.equal([]);
  });

  it('return early, and do not return where it was written', () => {
    expect(made('class A {\n    b() {\n        c = 1;\n    }\n}', 'early return')).to.deep.equal([
      'class A {\n    b() { return;\n        c = 1;\n    }\n}',
    ]);
    expect(made('function a() { if (b)\n return; }', 'return removed')).to.deep.equal(['function a() { if (b)\n ; }']);
    expect(made('class A {\n    constructor() {\n        c = 1;\n    }\n}', 'early return')).to.deep.equal([]);
  });

  it('leave comments, strings, types and the helpers of the compiler alone', () => {
    const helper = 'var __decorate = function (a) {\n    return a < 3;\n};\n';
    const decorated = '__decorate([\n    OnData(true),\n    __metadata("design:type", Function)\n], A.prototype, "b", null);';
    for (const text of [helper, decorated, '// a < b', 'a = "b < c && true";', '/a < 1/.test(b);', 'a = { 1: b };'])
      expect(
        mutantsOf(text).filter(({ kind }) => kind !== 'call removed'),
        text,
      ).to.deep.equal([]);
  });

  it('come in an order that the seed gives back', () => {
    const all = Array.from({ length: 50 }, (_, i) => i);
    const order = shuffled(all, new Random(7));
    expect(order).to.deep.equal(shuffled(all, new Random(7)));
    expect(order).to.not.deep.equal(shuffled(all, new Random(8)));
    expect(order.toSorted((a, b) => a - b)).to.deep.equal(all);
  });
});
