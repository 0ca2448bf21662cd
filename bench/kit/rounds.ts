import type { Contender, Figures, Running } from './contender.js';

/** One measurement; its figure is a rate. */
export type Measure<Subject, Setting> = (subject: Subject, setting: Setting, warmUp: boolean) => Promise<number>;

/** Contenders take turns within each round, in another order each time: a noisy minute hits all of them. */
export async function runRounds<Subject, Setting extends { readonly name: string }>(
  contenders: readonly Contender<Subject>[],
  settings: readonly Setting[],
  rounds: number,
  measure: Measure<Subject, Setting>,
): Promise<Figures> {
  const figures: Figures = new Map(settings.map(({ name }) => [name, new Map(contenders.map(contender => [contender.name, []]))]));
  const running: (Running<Subject> & { readonly name: string })[] = [];
  try {
    for (const contender of contenders) running.push({ name: contender.name, ...(await contender.start()) });
    for (const setting of settings) for (const { subject } of running) await measure(subject, setting, true);
    for (let round = 0; round < rounds; round += 1) {
      for (const setting of settings) {
        for (const { name, subject } of shuffled(running))
          figures
            .get(setting.name)!
            .get(name)!
            .push(await measure(subject, setting, false));
      }
      progress(`round ${round + 1} of ${rounds}`);
    }
  } finally {
    progress('');
    for (const { stop } of running) await stop();
  }
  return figures;
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
