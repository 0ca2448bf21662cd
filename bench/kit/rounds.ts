import type { Contender, Figures, Measured, Running } from './contender.js';

/** One measurement. What it gives under another name is a figure of another table. */
export type Measure<Subject, Setting> = (subject: Subject, setting: Setting, warmUp: boolean) => Promise<Measured>;

/** Table → setting → contender → figures. */
type Gathered = Map<string, Map<string, Map<string, number[]>>>;

function keep(gathered: Gathered, table: string, setting: string, name: string, figure: number): void {
  const settings = gathered.get(table) ?? gathered.set(table, new Map()).get(table)!;
  const contenders = settings.get(setting) ?? settings.set(setting, new Map()).get(setting)!;
  const figures = contenders.get(name) ?? contenders.set(name, []).get(name)!;
  figures.push(figure);
}

/** Contenders take turns within each round, in another order each time: a noisy minute hits all of them. */
export async function runRounds<Subject, Setting extends { readonly name: string }>(
  contenders: readonly Contender<Subject>[],
  settings: readonly Setting[],
  rounds: number,
  measure: Measure<Subject, Setting>,
): Promise<ReadonlyMap<string, Figures>> {
  const gathered: Gathered = new Map();
  const running: (Running<Subject> & { readonly name: string })[] = [];
  try {
    for (const contender of contenders) running.push({ name: contender.name, ...(await contender.start()) });
    for (const setting of settings) for (const { subject } of running) await measure(subject, setting, true);
    for (let round = 0; round < rounds; round += 1) {
      for (const setting of settings) {
        for (const { name, subject } of shuffled(running)) {
          const measured = await measure(subject, setting, false);
          for (const [table, figure] of Object.entries(measured)) keep(gathered, table, setting.name, name, figure);
        }
      }
      progress(`round ${round + 1} of ${rounds}`);
    }
  } finally {
    progress('');
    for (const { stop } of running) await stop();
  }
  return inOrder(gathered, contenders);
}

/** Rounds shuffle the contenders; tables show them as they were given. */
function inOrder(gathered: Gathered, contenders: readonly { readonly name: string }[]): ReadonlyMap<string, Figures> {
  for (const settings of gathered.values()) {
    for (const [setting, byName] of settings) {
      const rows = contenders.filter(({ name }) => byName.has(name)).map(({ name }): [string, number[]] => [name, byName.get(name)!]);
      settings.set(setting, new Map(rows));
    }
  }
  return gathered;
}

function shuffled<T>(list: readonly T[]): T[] {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i -= 1) {
    const j = Math.floor(Math.random() * (i + 1));
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}

/** One line that rewrites itself, where somebody is looking. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
