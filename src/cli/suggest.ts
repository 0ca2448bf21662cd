/** The most differences at which a name is taken for a misspelling of another. */
const MOST = 3;

/** The edits (insert, delete, replace, swap of neighbours) between two short texts. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, replace);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/**
 * The name that was probably meant: one that begins with what was written, else the nearest one. Undefined: none is near.
 * @example suggestionFor('close-timout', ['close-timeout', 'admin']) // 'close-timeout'
 */
export function suggestionFor(written: string, names: readonly string[]): string | undefined {
  if (written.length < 2 || written.length > 64) return undefined;
  const longer = names.filter(name => name.startsWith(written));
  if (longer.length === 1) return longer[0];
  const most = Math.min(MOST, Math.floor(written.length / 2));
  const near = names
    .map(name => ({ name, edits: distance(written, name) }))
    .filter(({ edits }) => edits <= most)
    .sort((a, b) => a.edits - b.edits);
  return near[0]?.name;
}
