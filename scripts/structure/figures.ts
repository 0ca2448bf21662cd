import { posix } from 'node:path';
import type { Offence, Sources } from './check.js';
import { MAX_FILES, RECURSION } from './floors.js';

/** Numbers that tell how a source is kept; the check prints them. */
export interface Figures {
  /** Files of src/. */
  readonly files: number;
  readonly lines: number;
  readonly medianLines: number;
  readonly largest: { readonly file: string; readonly lines: number };
  /** Folders of src/ and spec/ with more than {@link MAX_FILES} files directly in them. */
  readonly fullFolders: number;
  /** Imports of types that may close a circle. */
  readonly recursion: number;
}

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** Files directly in each folder below src/ and spec/. */
function filesByFolder(sources: Sources): Map<string, number> {
  const folders = new Map<string, number>();
  for (const file of sources.keys()) {
    const folder = posix.dirname(file);
    // Files of src/ itself are folders of one file.
    if (/^(?:src|spec)\//.test(folder)) folders.set(folder, (folders.get(folder) ?? 0) + 1);
  }
  return folders;
}

/** Counts the sources of the project. */
export function figuresOf(sources: Sources): Figures {
  const own = [...sources].filter(([file]) => file.startsWith('src/')).map(([file, text]) => ({ file, lines: lineCount(text) }));
  const sorted = own.toSorted((a, b) => a.lines - b.lines);
  return {
    files: own.length,
    lines: own.reduce((sum, { lines }) => sum + lines, 0),
    medianLines: sorted[Math.floor(sorted.length / 2)]?.lines ?? 0,
    largest: sorted.at(-1) ?? { file: '', lines: 0 },
    fullFolders: [...filesByFolder(sources).values()].filter(count => count > MAX_FILES).length,
    recursion: RECURSION.length,
  };
}

/** The figures as lines of text, with the number of offences of each rule. */
export function describeFigures(figures: Figures, offences: readonly Offence[]): string {
  const { files, lines, medianLines, largest, fullFolders, recursion } = figures;
  const named = ['R1', 'R2', 'R4', 'R5', 'R8'].map(name => `${name} ${offences.filter(({ rule }) => rule.endsWith(`(${name})`)).length}`);
  const circles = offences.filter(({ rule }) => rule === 'no circular imports').length;
  return [
    `src: ${files} files, ${lines} lines, median ${medianLines}, largest ${largest.lines} (${largest.file})`,
    `circles of imports, types counted: ${circles} (and ${recursion} imports of the codec's recursion); folders above ${MAX_FILES} files: ${fullFolders}`,
    `offences: ${named.join(', ')}, others ${offences.filter(({ rule }) => !/\(R\d\)$/.test(rule)).length - circles}`,
  ].join('\n');
}

/** A folder with too many files is no table of contents any more. */
export function checkFolders(sources: Sources): Offence[] {
  return [...filesByFolder(sources)]
    .filter(([, count]) => count > MAX_FILES)
    .map(([folder, count]) => ({
      file: folder,
      line: 1,
      what: `${count} files`,
      rule: `a folder of src/ or spec/ has at most ${MAX_FILES} files`,
      remedy: 'put those that belong together into a folder of their own',
    }));
}
