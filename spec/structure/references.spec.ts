import { expect } from 'chai';
import { checkReferences } from '../../scripts/structure/references.js';

describe('the names in doc comments (R4)', () => {
  const wrong = (text: string): string[] => checkReferences(new Map([['src/a.ts', text]])).map(({ what }) => what);

  it('are words of the code or of a string', () => {
    expect(wrong("/** Uses `add()`, `Pool.run` and `maxLength`. */\nclass Pool { add() {} run() { x('maxLength'); } }\n")).to.deep.equal(
      [],
    );
    expect(wrong('/** Uses `addd()`. */\nfunction add() {}\n')).to.deep.equal(['`addd()`: there is no addd']);
    expect(wrong('/** Uses `Pool.walk`. */\nclass Pool { run() {} }\n')).to.deep.equal(['`Pool.walk`: there is no walk']);
    expect(wrong('/** Uses `Gone`. */\n// Gone\nclass Pool {}\n')).to.have.length(1);
  });

  it('may be code of more than a name, and anything in an example', () => {
    expect(wrong('/** Like `a + b` or `1 MB`.\n * @example `gone` */\nfunction add() {}\n')).to.deep.equal([]);
  });

  it('are errors that exist, where they are thrown', () => {
    expect(wrong('/** Throws GoneError. */\nfunction add() {}\n')).to.deep.equal(['throws GoneError, which does not exist']);
    expect(wrong('/** @throws GoneError for it. */\nfunction add() { throw new GoneError(); }\n')).to.deep.equal([]);
  });

  it('are parameters that exist, and values that are returned', () => {
    expect(wrong('/** @param b in bytes */\nfunction add(a: number): void {}\n')).to.deep.equal(['@param b is no parameter']);
    expect(wrong('/** @param a in bytes */\nfunction add(a: number): void {}\n')).to.deep.equal([]);
    expect(wrong('/** Returns the sum. */\nfunction add(a: number): void {}\n')).to.deep.equal(['says Returns, and returns nothing']);
    expect(wrong('/** Returns the sum. */\nfunction add(a: number): number { return a; }\n')).to.deep.equal([]);
  });
});
