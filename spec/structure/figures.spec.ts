import { expect } from 'chai';
import { checkFolders, describeFigures, figuresOf } from '../../scripts/structure/figures.js';

const sources = (count: number, folder = 'src/a'): Map<string, string> =>
  new Map(Array.from({ length: count }, (_, at) => [`${folder}/f${at}.ts`, 'x\n'.repeat(at + 1)]));

describe('the figures of the source', () => {
  it('count files, lines, their median and the largest file, of src only', () => {
    const all = new Map([...sources(5), ['spec/a.spec.ts', 'x\n'.repeat(99)]]);
    expect(figuresOf(all)).to.deep.include({ files: 5, lines: 15, medianLines: 3, largest: { file: 'src/a/f4.ts', lines: 5 } });
  });

  it('tell the folders with more than 16 files, which are refused', () => {
    expect(figuresOf(sources(16)).fullFolders).to.equal(0);
    expect(checkFolders(sources(16))).to.deep.equal([]);
    expect(figuresOf(sources(17)).fullFolders).to.equal(1);
    expect(checkFolders(sources(17)).map(({ file, what }) => [file, what])).to.deep.equal([['src/a', '17 files']]);
  });

  it('count the folders of spec, but neither src and spec themselves nor folders beside them', () => {
    expect(checkFolders(sources(17, 'spec/kit')).map(({ file }) => file)).to.deep.equal(['spec/kit']);
    for (const folder of ['src', 'spec', 'examples/a']) expect(checkFolders(sources(17, folder))).to.deep.equal([]);
  });

  it('are printed with the offences of each rule', () => {
    const offence = { file: 'src/a.ts', line: 1, what: '', remedy: '' };
    const offences = ['x (R1)', 'x (R1)', 'y (R5)', 'no circular imports', 'z'].map(rule => ({ ...offence, rule }));
    const text = describeFigures(figuresOf(sources(3)), offences);
    expect(text).to.contain('3 files').and.to.contain('types counted: 1');
    expect(text).to.contain('R1 2, R2 0, R4 0, R5 1, R8 0, others 1');
  });
});
