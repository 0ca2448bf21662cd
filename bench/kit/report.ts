import { arch, cpus, loadavg, platform } from 'node:os';
import type { Figures } from './contender.js';

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
 * Prints a table and, as the last line, one line of JSON:
 * `{ bench, unit, rounds, node, ratios: { setting: { contender: ratio } }, rates: { setting: { contender: median } } }`.
 * A ratio is the first contender over that one: above 1 the first is better.
 */
export function report(bench: string, unit: string, figures: Figures): void {
  const settings = [...figures.keys()];
  const names = [...figures.get(settings[0]!)!.keys()];
  const hero = names[0]!;
  const rates: Record<string, Record<string, number>> = {};
  const ratios: Record<string, Record<string, number>> = {};
  for (const [setting, byName] of figures) {
    rates[setting] = Object.fromEntries(names.map(name => [name, Math.round(median(byName.get(name)!))]));
    ratios[setting] = Object.fromEntries(names.slice(1).map(name => [name, round2(ratio(byName.get(hero)!, byName.get(name)!))]));
  }
  const rounds = figures.get(settings[0]!)!.get(hero)!.length;
  const load = loadavg()[0]!.toFixed(1);
  const machine = `Node ${process.versions.node}, ${platform()} ${arch()}, ${cpus().length} cores, load ${load}`;
  console.log(`${bench}: ${unit}, median of ${rounds} interleaved rounds; in brackets ${hero} over it (${machine})\n`);
  const rows = names.map(name => [
    name,
    ...settings.map(setting => {
      const factor = ratios[setting]![name];
      return `${thousands(rates[setting]![name]!)}${(factor === undefined ? '' : `(${factor.toFixed(2)})`).padStart(BRACKET)}`;
    }),
  ]);
  table(['', ...settings.map(setting => setting.padEnd(setting.length + BRACKET))], rows);
  console.log(`\n${JSON.stringify({ bench, unit, rounds, node: process.versions.node, ratios, rates })}`);
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

function thousands(value: number): string {
  return value.toLocaleString('en-US').replaceAll(',', ' ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  console.log(line(head));
  for (const row of rows) console.log(line(row));
}
