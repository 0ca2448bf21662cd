import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Answered, Asked } from './check/probe.js';
import { verdict } from './check/verdict.js';
import { ended } from './kit/exit.js';

/** A processor's time with metrics, by that without. */
const MOST_OBSERVED = 1.1;

const HERE = fileURLToPath(new URL('../../..', import.meta.url));

function git(...args: readonly string[]): void {
  execFileSync('git', args, { cwd: HERE, stdio: 'ignore' });
}

/** A checkout of that commit, built, with the packages of this one. */
function checkOut(ref: string): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'packet-ts-check-'));
  const remove = (): void => {
    rmSync(join(folder, 'node_modules'), { force: true });
    git('worktree', 'remove', '--force', folder);
  };
  git('worktree', 'add', '--detach', folder, ref);
  try {
    symlinkSync(join(HERE, 'node_modules'), join(folder, 'node_modules'));
    // Declarations would name packages by where the link leads.
    const flags = ['-p', folder, '--declaration', 'false', '--declarationMap', 'false'];
    execFileSync(join(HERE, 'node_modules/.bin/tsc'), flags, { cwd: folder, stdio: 'inherit' });
  } catch (error) {
    remove();
    throw error;
  }
  return { folder, remove };
}

async function probe(checkout: string, observed = ''): Promise<ChildProcess> {
  const child = fork(new URL('./check/probe.js', import.meta.url), { env: { ...process.env, CHECKOUT: checkout, OBSERVED: observed } });
  const [first] = (await once(child, 'message')) as [unknown];
  if (first !== 'ready') throw new Error(`the probe of ${checkout} said ${String(first)}`);
  return child;
}

async function ask(child: ChildProcess, ms: number): Promise<Answered> {
  child.send({ ms } satisfies Asked);
  return ((await once(child, 'message')) as [Answered])[0];
}

/**
 * Says what this checkout does better or worse than another one, beyond noise: `npm run bench check`, `npm run bench check -- --base HEAD~5`,
 * `--base /path/to/a/built/checkout`. With `--metrics` it is compared with itself, with metrics switched on. Both take turns, in another order
 * each round. Exit code 1 where something got worse; with metrics on, where it costs over a tenth more of a processor.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { base: { type: 'string' }, metrics: { type: 'boolean' }, rounds: { type: 'string' }, ms: { type: 'string' } },
  });
  const observed = values.metrics === true ? 'metrics' : '';
  const base = values.base ?? (observed === '' ? 'origin/main' : HERE);
  const rounds = Number(values.rounds ?? 12);
  const ms = Number(values.ms ?? 150);
  const other = existsSync(join(base, 'dist/src/index.js')) ? { folder: base, remove: () => {} } : checkOut(base);
  const probes: ChildProcess[] = [];
  try {
    probes.push(await probe(other.folder), await probe(HERE, observed));
    for (const each of probes) await ask(each, 2 * ms);
    const figures: [Answered[], Answered[]] = [[], []];
    for (let round = 0; round < rounds; round++)
      for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) figures[which]!.push(await ask(probes[which]!, ms));
    const names = Object.keys(figures[0][0]!);
    console.log(
      `this checkout ${observed && 'with metrics '}beside ${base}, ${rounds} interleaved rounds of ${ms} ms each; less is better\n`,
    );
    for (const name of names) {
      const [before, now] = figures.map(list => list.map(each => each[name]!)) as [number[], number[]];
      const { ratio, changed } = verdict(before, now);
      const word = changed === 0 ? '  within noise' : changed > 0 ? '  WORSE' : '  better';
      if (changed > 0 && (observed === '' || (ratio > MOST_OBSERVED && name.includes('CPU')))) process.exitCode = 1;
      console.log(`${name.padEnd(34)} × ${ratio.toFixed(3)}${word}`);
    }
  } finally {
    for (const each of probes) await ended(each);
    other.remove();
  }
}
