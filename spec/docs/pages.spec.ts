import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../../scripts/structure/read-sources.js';

interface Row {
  readonly feature: string;
  /** The lines of code that must run. */
  readonly lines: readonly string[];
  readonly spec: string | undefined;
}

/** Code as it is compared: without what a formatter decides. */
function bare(code: string): string {
  return code
    .replaceAll(/\s+/g, '')
    .replaceAll(/,(?=[)}\]])/g, '')
    .replaceAll(';', '')
    .replaceAll('"', "'");
}

/** Rows of tables with three columns, the last of which links a spec (or says – where there is nothing to run). */
function rowsOf(page: string): Row[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const rows = text.split('\n').flatMap(line => {
    const cells = line.startsWith('|') ? line.split(/(?<!\\)\|/).slice(1, -1) : [];
    return cells.length === 3 && !/^\s*(?:-|EventMachine|Packet|NestJS|Piscina)/.test(cells[0]!) ? [cells as [string, string, string]] : [];
  });
  return rows.map(([feature, here, proof]) => {
    const link = /\]\(([^)#]+)/.exec(proof)?.[1];
    const lines = [...here.matchAll(/``\s?(.+?)\s?``|`([^`]+)`/g)].map(([, long, short]) => (long ?? short)!);
    return { feature: feature.trim(), lines, spec: link === undefined ? undefined : join(dirname(page), link) };
  });
}

const PAGES = [
  ['docs/from-eventmachine.md', 80],
  ['docs/from-packet.md', 75],
  ['docs/from-nestjs.md', 35],
  ['docs/from-piscina.md', 25],
] as const;

for (const [page, least] of PAGES) {
  describe(page, () => {
    const rows = rowsOf(page);

    it('has a row for each feature, with the spec that proves it', () => {
      expect(rows.length).to.be.greaterThan(least);
      const unproven = rows.filter(({ spec }) => spec === undefined).map(({ feature }) => feature);
      expect(unproven.filter(feature => !/HttpClient|SmtpClient/.test(feature))).to.deep.equal([]);
      expect(rows.filter(({ spec }) => spec !== undefined && !existsSync(join(ROOT, spec)))).to.deep.equal([]);
    });

    it('shows no line that does not run', () => {
      const texts = new Map<string, string>();
      const missing = rows.flatMap(({ feature, lines, spec }) => {
        if (!spec?.startsWith('spec/docs/')) return [];
        if (!texts.has(spec)) texts.set(spec, bare(readFileSync(join(ROOT, spec), 'utf8')));
        const own = lines.filter(line => !OTHERWISE.has(line));
        return own.filter(line => !texts.get(spec)!.includes(bare(line))).map(line => `${feature}: ${line}`);
      });
      expect(missing).to.deep.equal([]);
    });
  });
}

/** Words in a row that are no line of it. */
const OTHERWISE = new Set([
  'listen:',
  'tls://',
  'false',
  "@After('5s')",
  '@Task',
  '@InjectWorker',
  'error.reason',
  'maxMemory',
  'token',
  'receives',
]);
