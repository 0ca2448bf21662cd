import type { Table } from './report.js';

/** setting → contender → median. */
type Medians = Readonly<Record<string, Readonly<Record<string, number>>>>;

const ROW = 18;
const LABEL = 190;
const BAR = 300;
const FIGURE = 90;
const TITLE = 26;
const PANEL_GAP = 14;
const WIDTH = LABEL + BAR + FIGURE;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** A bar for each contender, the first one's in colour; each setting a panel of its own, with its own scale from 0. */
function panel(setting: string, figures: Readonly<Record<string, number>>, y: number): { readonly svg: string; readonly height: number } {
  const rows = Object.entries(figures);
  const most = Math.max(...rows.map(([, figure]) => figure));
  const bars = rows.map(([name, figure], row) => {
    const top = y + TITLE + row * ROW;
    const width = Math.max(1, (figure / most) * BAR).toFixed(1);
    const middle = top + ROW - 6;
    return [
      `<text x="${LABEL - 6}" y="${middle}" text-anchor="end">${escaped(name)}</text>`,
      `<rect x="${LABEL}" y="${top + 2}" width="${width}" height="${ROW - 4}" fill="${row === 0 ? '#2563eb' : '#9ca3af'}"/>`,
      `<text x="${(LABEL + 4 + Number(width)).toFixed(1)}" y="${middle}">${figure.toLocaleString('en-US').replaceAll(',', ' ')}</text>`,
    ].join('\n');
  });
  const title = `<text x="0" y="${y + 14}" font-weight="bold">${escaped(setting)}</text>`;
  return { svg: [title, ...bars].join('\n'), height: TITLE + rows.length * ROW + PANEL_GAP };
}

/**
 * A table as a picture.
 * @example writeFileSync('dispatch-cpu.svg', chart('dispatch, Node 20', table, medians))
 */
export function chart(title: string, { unit, better }: Pick<Table, 'unit' | 'better'>, medians: Medians): string {
  let y = 44;
  const panels: string[] = [];
  for (const [setting, figures] of Object.entries(medians)) {
    const { svg, height } = panel(setting, figures, y);
    panels.push(svg);
    y += height;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>`,
    `<text x="0" y="16" font-size="14" font-weight="bold">${escaped(title)}</text>`,
    `<text x="0" y="33">${escaped(unit)} (${better} is better)</text>`,
    ...panels,
    '</svg>\n',
  ].join('\n');
}
