import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readSources, ROOT } from '../../scripts/structure/read-sources.js';
import { LimitError } from '../../src/index.js';
import { CLOSE_REASONS, closeReason, levelOfClose, reasonOfFailure, reasonOfLimit } from '../../src/session/close-reasons.js';

const TABLE = 'src/session/close-reasons.ts';

/** Rows of the table of docs/lifecycle.md, by name. */
function documented(): Record<string, { level: string; when: string }> {
  const page = readFileSync(join(ROOT, 'docs/lifecycle.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| (.+?) \| (.+) \| (debug|info) \|$/gm)];
  return Object.fromEntries(
    rows.map(([, by, code, when, level]) => [`${by} ${/`(\w+)`/.exec(code!)?.[1] ?? '*'}`, { level: level!, when: when! }]),
  );
}

const sources = [...readSources()].filter(([file]) => file.startsWith('src/') && file !== TABLE);

describe('the table of close reasons', () => {
  it('is that of docs/lifecycle.md, row by row and both ways', () => {
    expect(documented()).to.deep.equal(CLOSE_REASONS);
    expect(Object.keys(documented())).to.deep.equal(Object.keys(CLOSE_REASONS));
  });

  it('is the only place where reasons are written', () => {
    const written = sources.filter(([, text]) => /\bby: '\w+', code\b/.test(text)).map(([file]) => file);
    expect(written).to.deep.equal([]);
  });

  it('has no reason that nothing is closed for', () => {
    // Codes of the system stand in no source of ours; the codes of a close by an application are put together.
    const fromOutside = /^(peer E[A-Z]{3,}|shutdown \w+|.* \*)$/;
    const all = sources.map(([, text]) => text).join('\n');
    const unused = Object.keys(CLOSE_REASONS).filter(
      name => !fromOutside.test(name) && !all.includes(`'${name}'`) && !all.includes(`'${name.split(' ')[1]}'`),
    );
    expect(unused).to.deep.equal([]);
  });

  it('gives by, code and error, and no field for an error that there is not', () => {
    const error = new Error('enough');
    expect(closeReason('local DESTROY')).to.deep.equal({ by: 'local', code: 'DESTROY' });
    expect(closeReason('local DESTROY', error)).to.deep.equal({ by: 'local', code: 'DESTROY', error });
    expect(reasonOfLimit('drainTimeout')).to.deep.equal({ by: 'limit', code: 'drainTimeout' });
    expect(reasonOfLimit('idleTimeout', error)).to.deep.equal({ by: 'timeout', code: 'idleTimeout', error });
  });

  it('has a reason for requests that passed a limit, known or not, and for those that failed', () => {
    const late = new LimitError('messageTimeout', 'late');
    const own = new LimitError('quota', 'enough');
    const failed = new TypeError('oops');
    expect(reasonOfFailure(late)).to.deep.equal({ by: 'timeout', code: 'messageTimeout', error: late });
    expect(reasonOfFailure(own)).to.deep.equal({ by: 'limit', code: 'quota', error: own });
    expect(reasonOfFailure(failed)).to.deep.equal({ by: 'error', code: 'TypeError', error: failed });
  });

  it('says at which level the log tells of a close: of limits and time limits at info', () => {
    const levels = ['timeout idleTimeout', 'limit quota', 'peer END', 'error ETIMEDOUT', 'peer EWHATEVER'].map(name => {
      const [by, code] = name.split(' ');
      return levelOfClose(by!, code!);
    });
    expect(levels).to.deep.equal(['info', 'info', 'debug', 'debug', 'debug']);
  });
});
