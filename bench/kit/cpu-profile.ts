import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Place {
  readonly functionName: string;
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** What `node --cpu-prof` writes and the inspector's Profiler.stop returns. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Place }[];
  readonly samples?: readonly number[] | undefined;
  readonly timeDeltas?: readonly number[] | undefined;
}

/** Time spent in one function itself, without what it called. */
export interface SelfTime {
  readonly name: string;
  /** 'src/wire/link/link.ts:120'; for what is not ours Node's own name of it. */
  readonly place: string;
  /** Of the time in which the process was not idle. */
  readonly share: number;
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const maps = new Map<string, SourceMap | undefined>();

/** Where the code was written, by the source map beside the compiled file. */
function sourceOf({ url, lineNumber, columnNumber }: Place): string {
  if (!url.startsWith('file:')) return url === '' ? '(native)' : url;
  if (!maps.has(url)) {
    let map: SourceMap | undefined;
    try {
      map = new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8')) as ConstructorParameters<typeof SourceMap>[0]);
    } catch {
      // Somebody else's package: the compiled line will do.
    }
    maps.set(url, map);
  }
  const entry = maps.get(url)?.findEntry(lineNumber, columnNumber);
  if (entry === undefined || !('originalSource' in entry)) return `${relative(ROOT, fileURLToPath(url))}:${lineNumber + 1}`;
  return `${relative(ROOT, fileURLToPath(new URL(entry.originalSource, url)))}:${entry.originalLine + 1}`;
}

/** Busiest first. Idle time does not count; the collector and native code do. */
export function selfTimes({ nodes, samples = [], timeDeltas = [] }: CpuProfile): SelfTime[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, { readonly frame: Place; time: number }>();
  let busy = 0;
  samples.forEach((id, index) => {
    const frame = frames.get(id)!;
    if (frame.functionName === '(idle)') return;
    const time = timeDeltas[index] ?? 0;
    busy += time;
    const key = `${frame.functionName} ${frame.url}:${frame.lineNumber}:${frame.columnNumber}`;
    const known = times.get(key);
    if (known) known.time += time;
    else times.set(key, { frame, time });
  });
  return [...times.values()]
    .sort((a, b) => b.time - a.time)
    .map(({ frame, time }) => ({ name: frame.functionName || '(anonymous)', place: sourceOf(frame), share: time / busy }));
}

/** The same summed up by file, busiest first. */
function byFile(times: readonly SelfTime[]): { place: string; share: number }[] {
  const files = new Map<string, number>();
  for (const { place, name, share } of times) {
    const file = place === '(native)' ? `native ${name}` : place.replace(/:\d+$/, '');
    files.set(file, (files.get(file) ?? 0) + share);
  }
  return [...files].map(([place, share]) => ({ place, share })).sort((a, b) => b.share - a.share);
}

/** The busiest functions and the busiest files. */
export function printSelfTimes(title: string, profile: CpuProfile, rows = 20): void {
  const percent = (share: number): string => `${(share * 100).toFixed(1).padStart(5)} %`;
  const times = selfTimes(profile);
  console.log(`\n${title}: self time, share of what was not idle`);
  for (const { name, place, share } of times.slice(0, rows)) console.log(`${percent(share)}  ${name.padEnd(28)} ${place}`);
  console.log('by file');
  for (const { place, share } of byFile(times).slice(0, rows)) console.log(`${percent(share)}  ${place}`);
}
