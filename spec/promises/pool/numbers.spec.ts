import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../../../scripts/structure/read-sources.js';

/** Priorities and tracing are not part of the workforce. */
const NOT_OURS: readonly number[] = [30, 54];

describe('the acceptance cases of worker pools', () => {
  it('are all here, 1 to 58, each under its number', () => {
    const text = ['spec/promises/pool/cases', 'spec/long/promises/pool']
      .map(name => join(ROOT, name))
      .flatMap(folder => readdirSync(folder).map(name => readFileSync(join(folder, name), 'utf8')))
      .join('\n');
    const written = [...text.matchAll(/\bit\(\s*[`'"](\d+)\. /g)].map(match => Number(match[1]));
    // A test that is made for two cases names them in its table.
    const tabled = [...text.matchAll(/^\s+\[(\d+), ['"`]/gm)].map(match => Number(match[1]));
    const found = new Set([...written, ...tabled]);
    const expected = Array.from({ length: 58 }, (_, i) => i + 1).filter(number => !NOT_OURS.includes(number));
    expect([...found].sort((a, b) => a - b)).to.deep.equal(expected);
  });
});
