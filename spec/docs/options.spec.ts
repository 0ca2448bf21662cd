import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { ROOT } from '../../scripts/structure/read-sources.js';
import { endpointRules } from '../../src/blueprint/connection/connection-options.js';
import { toSettings, workerRules } from '../../src/blueprint/worker/worker-settings.js';
import { raw } from '../../src/framing/index.js';
import { resolveLimits, type ConnectionLimits } from '../../src/session/limits.js';

interface Row {
  readonly option: string;
  /** The default, as one would write it; undefined where the page says it in words. */
  readonly written: string | undefined;
}

/** Rows of the table whose head names `option` and `default`. */
function rowsOf(page: string): Row[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const table = /\| option \| default \|.*\n\|[-|]+\n((?:\|.*\n)+)/.exec(text)![1]!;
  return table
    .trimEnd()
    .split('\n')
    .map(line => {
      const [, option = '', value = ''] = line.split('|').map(cell => cell.trim());
      return { option: /`(\w+)`/.exec(option)![1]!, written: /^`(.+)`$/.exec(value)?.[1] };
    });
}

const valueOf = (written: string): unknown => runInNewContext(`(${written})`);

/** Rows whose default, written out, changes the settings that are used without it. */
function wrongDefaults(rows: readonly Row[], settingsWith: (options: object) => object): string[] {
  const missing = settingsWith({});
  return rows.flatMap(({ option, written }) => {
    if (written === undefined) return [];
    const settings = settingsWith({ [option]: valueOf(written) });
    return JSON.stringify(settings) === JSON.stringify(missing) ? [] : [`${option}: ${written}`];
  });
}

describe('the option table of', () => {
  it('docs/workers.md has every option of @Worker, with its default', () => {
    const rows = rowsOf('docs/workers.md');
    expect(rows.map(({ option }) => option)).to.have.members(Object.keys(workerRules));
    expect(rows.filter(({ written }) => written !== undefined).length).to.be.greaterThan(20);
    expect(wrongDefaults(rows, options => toSettings(options as never))).to.deep.equal([]);
    expect(wrongDefaults([{ option: 'cancelGrace', written: "'6s'" }], options => toSettings(options as never))).to.have.length(1);
  });

  it('docs/connections.md has every option of an endpoint, with its default', () => {
    const rows = rowsOf('docs/connections.md');
    expect(rows.map(({ option }) => option)).to.have.members(Object.keys(endpointRules));
    const limits = resolveLimits({}, raw(), 'tcp', 'listen');
    const isLimit = ({ option }: Row): boolean => option in limits;
    expect(rows.filter(row => row.written !== undefined && !isLimit(row))).to.deep.equal([]);
    const settingsWith = (options: object): ConnectionLimits => {
      const { maxMessageSize, ...rest } = resolveLimits(options, raw(), 'tcp', 'listen');
      return { ...rest, maxMessageSize: Number.isFinite(maxMessageSize) ? maxMessageSize : 0 };
    };
    expect(rows.filter(row => row.written !== undefined && isLimit(row)).length).to.be.greaterThan(9);
    expect(wrongDefaults(rows.filter(isLimit), settingsWith)).to.deep.equal([]);
    expect(wrongDefaults([{ option: 'drainTimeout', written: "'31s'" }], settingsWith)).to.have.length(1);
  });
});
