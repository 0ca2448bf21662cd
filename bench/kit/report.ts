import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chart } from './chart.js';
import type { Figures } from './contender.js';

/** One table of a bench: what its figures are. */
export interface Table {
  /** Under which name measurements give its figures. */
  readonly key: string;
  /** 'calls a second', 'ms from kill -9 to the next answer'. */
  readonly unit: string;
  readonly better: 'more' | 'less';
}

interface Summary extends Table {
  readonly rounds: number;
  /** setting → contender → median over the rounds of (first contender / this one). */
  readonly ratios: Record<string, Record<string, number>>;
  /** setting → contender → median. */
  readonly medians: Record<string, Record<string, number>>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Of each round the hero's figure over the other's, then the median: noise that both met cancels out. */
function ratio(hero: readonly number[], other: readonly number[]): number {
  return median(hero.map((figure, round) => figure / other[round]!));
}

/** Room for a ratio behind its figure: '  (12.34)'. */
const BRACKET = 9;

/**
 * Prints a table for each kind of figure and, as the last line, one line of JSON:
 * `{ bench, node, cores, load, busy, tables: [{ key, unit, better, rounds, ratios: { setting: { contender: ratio } }, medians: { setting: { contender: figure } } }] }`.
 * A ratio is the first contender's figure over that one's.
 */
export function report(bench: string, tables: readonly Table[], gathered: ReadonlyMap<string, Figures>): void {
  const load = loadavg()[0]!.toFixed(1);
  console.log(`${bench}: Node ${process.versions.node}, ${platform()} ${arch()}, ${cpus().length} cores, load ${load}`);
  const summaries = tables.filter(({ key }) => gathered.has(key)).map(table => summarize(table, gathered.get(table.key)!));
  for (const summary of summaries) print(summary);
  const result = { bench, node: process.versions.node, cores: cpus().length, load: Number(load), busy: saved.busy, tables: summaries };
  if (saved.wanted) save(result);
  console.log(`\n${JSON.stringify(result)}`);
}

/** What `run.ts` was told: whether results are kept in docs/performance, and whether something burnt a processor beside them. */
export const saved = { wanted: false, busy: false };

/** Where docs/performance.md finds its charts. */
const FOLDER = fileURLToPath(new URL('../../../../docs/performance/', import.meta.url));

/** One JSON file for the bench, and a chart for each of its tables. */
function save(result: { readonly bench: string; readonly busy: boolean; readonly tables: readonly Summary[] }): void {
  const node = process.versions.node.split('.', 1)[0]!;
  const name = `${result.bench}-node${node}${result.busy ? '-busy' : ''}`;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
  const title = `${result.bench}, Node ${node}${result.busy ? ', beside a process that burns a core' : ''}`;
  for (const table of result.tables) writeFileSync(join(FOLDER, `${name}-${table.key}.svg`), chart(title, table, table.medians));
}

function summarize(table: Table, figures: Figures): Summary {
  const medians: Record<string, Record<string, number>> = {};
  const ratios: Record<string, Record<string, number>> = {};
  let rounds = 0;
  for (const [setting, byName] of figures) {
    const [[hero, own] = ['', []], ...others] = [...byName];
    rounds = own.length;
    medians[setting] = Object.fromEntries([[hero, own] as const, ...others].map(([name, each]) => [name, threeDigits(median(each))]));
    ratios[setting] = Object.fromEntries(others.map(([name, each]) => [name, round(ratio(own, each), 2)]));
  }
  return { ...table, rounds, ratios, medians };
}

function print({ unit, better, rounds, ratios, medians }: Summary): void {
  const settings = Object.keys(medians);
  const names = [...new Set(settings.flatMap(setting => Object.keys(medians[setting]!)))];
  console.log(`\n${unit}, median of ${rounds} interleaved rounds; in brackets ${names[0]!} over it (${better} is better)\n`);
  const cell = (setting: string, name: string): string => {
    const figure = medians[setting]![name];
    const factor = ratios[setting]![name];
    return figure === undefined ? '' : `${thousands(figure)}${(factor === undefined ? '' : `(${factor.toFixed(2)})`).padStart(BRACKET)}`;
  };
  const rows = names.map(name => [name, ...settings.map(setting => cell(setting, name))]);
  layOut(['', ...settings.map(setting => setting.padEnd(setting.length + BRACKET))], rows);
}

/** Large figures whole, small ones with three digits. */
function threeDigits(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function thousands(value: number): string {
  return value.toLocaleString('en-US').replaceAll(',', ' ');
}

function layOut(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  console.log(line(head));
  for (const row of rows) console.log(line(row));
}
