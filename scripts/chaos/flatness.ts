import type { Sample } from './server.js';

const MB = 1024 * 1024;
/** Growth of memory from the first half of the quiet moments to the last that counts as a leak, in bytes. */
const MEMORY = { heap: 12 * MB, rss: 80 * MB };

function smallest(samples: readonly Sample[], of: (sample: Sample) => number): number {
  return Math.min(...samples.map(of));
}

/**
 * What has grown, in words: quiet moments are compared, the smallest of the first half with the smallest of the second, so that what comes
 * and goes (a process more, a collection less) does not count.
 */
export function growths(samples: readonly Sample[]): string[] {
  const half = Math.floor(samples.length / 2);
  if (half === 0) return [];
  const [early, late] = [samples.slice(0, half), samples.slice(-half)];
  const grown: string[] = [];
  const compare = (what: string, of: (sample: Sample) => number, tolerance: number): void => {
    const [before, after] = [smallest(early, of), smallest(late, of)];
    if (after > before + tolerance) grown.push(`${what}: ${before} → ${after}`);
  };
  compare('descriptors', ({ descriptors }) => descriptors, 0);
  compare('heap', ({ heap }) => heap, MEMORY.heap);
  compare('rss', ({ rss }) => rss, MEMORY.rss);
  for (const type of new Set(samples.flatMap(({ resources }) => Object.keys(resources))))
    compare(`active ${type}`, ({ resources }) => resources[type] ?? 0, 0);
  const last = samples.at(-1)!;
  if (last.subscriptions > 0) grown.push(`subscriptions that nobody cancelled: ${last.subscriptions}`);
  if (last.calls.made !== last.calls.settled) grown.push(`calls made ${last.calls.made}, settled ${last.calls.settled}`);
  if (last.calls.twice > 0) grown.push(`calls settled twice: ${last.calls.twice}`);
  return grown;
}
