import { expect } from 'chai';
import { commentsOf } from '../../scripts/structure/comments.js';
import { PEOPLE } from '../../scripts/structure/people.js';
import { readPages, readSources } from '../../scripts/structure/read-sources.js';
import { checkFirstWords, checkPeople, checkPersons } from '../../scripts/structure/words.js';

const FILE = 'src/a.ts';

describe('the words of comments', () => {
  it('are found in block, doc and line comments, not in strings', () => {
    const text = [
      '/** First. */',
      'const a = 1; // trailing',
      '// one',
      '// and two',
      "const b = '// no comment', c = /\\/\\*/;",
      '/*',
      ' * Block',
      ' */',
    ].join('\n');
    expect(commentsOf(text).map(({ text: said, line, isDoc }) => [said, line, isDoc])).to.deep.equal([
      ['First.', 1, true],
      ['trailing', 2, false],
      ['one\nand two', 3, false],
      ['Block', 6, false],
    ]);
  });

  it('come with the declaration behind them', () => {
    const text =
      '/** Adds. */\nexport function add(a: number): void {\n  run();\n}\ninterface X {\n  /** Its size. */\n  size: number;\n}\n';
    expect(commentsOf(text).map(({ declaration }) => declaration.trim())).to.deep.equal([
      'export function add(a: number): void',
      'size: number',
    ]);
  });

  for (const word of ['And', 'Of', 'As much', 'The same', 'So many', 'It', 'What', 'Who', 'what']) {
    it(`do not begin with '${word}' (R1)`, () => {
      expect(checkFirstWords(FILE, `/** ${word} is there. */\n`)).to.have.length(1);
      expect(checkFirstWords(FILE, `run(); // ${word} is there\n`)).to.have.length(1);
      expect(checkFirstWords(FILE, `/**\n * ${word} is there.\n */\n`)).to.have.length(1);
    });
  }

  it('may have those words further on, and longer words that begin so (R1)', () => {
    const text = "/** Sets what is there. Of `ws:` only. */\n// Items, Offset\n/** Items. */\n/** Offset. */\nconst x = '// What';\n";
    expect(checkFirstWords(FILE, text)).to.deep.equal([]);
  });

  for (const word of ['who', 'whom', 'whoever', 'Nobody', 'somebody']) {
    it(`have no '${word}', nor have messages (R2)`, () => {
      expect(checkPersons(FILE, `// The one ${word} reads it.\n`)).to.have.length(1);
      expect(checkPersons(FILE, `throw new Error('the peer ${word} is there');\n`)).to.have.length(1);
      expect(checkPersons(FILE, `throw new Error(\`${word} \${x} is there\`);\n`)).to.have.length(1);
      expect(checkPersons('docs/a.md', `A page for ${word} reads.\n`)).to.have.length(1);
    });
  }

  it('may name an identifier of that spelling, and a page may show code with it (R2)', () => {
    expect(checkPersons(FILE, "const who = subjects.who; // the subject `who`\nrun('who', `${a}.who.${b}`);\n")).to.deep.equal([]);
    expect(checkPersons('docs/a.md', '```ts\nconst nobody = 1;\n```\nThe option `who`.\n')).to.deep.equal([]);
  });

  it('may be about people where the list has the sentence, and the list has no other sentences (R2)', () => {
    expect(checkPersons(FILE, `// ${PEOPLE[0]}\n`)).to.deep.equal([]);
    expect(
      checkPeople(
        new Map([
          [FILE, PEOPLE.slice(1).join('\n')],
          ['scripts/structure/people.ts', ''],
        ]),
      ),
    ).to.have.length(1);
    expect(checkPeople(new Map([...readSources(), ...readPages()]))).to.deep.equal([]);
  });
});
