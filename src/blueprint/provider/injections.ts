import type { Mistake } from '../../errors.js';
import { kindOf } from '../lineage.js';
import { nameOf } from '../mistakes.js';
import type { Ctor, ParameterBlueprint, WorkerBlueprint } from '../types.js';

/** Something with a constructor that the container calls. */
interface Built {
  readonly cls: Ctor;
  readonly parameters: readonly ParameterBlueprint[];
}

/** The mistake in a reference to a worker, with what to write; undefined when the application has that worker. */
export function workerReferenceMistake(
  worker: Ctor | string | undefined,
  workers: readonly WorkerBlueprint[],
): Pick<Mistake, 'wrong' | 'remedy'> | undefined {
  if (worker === undefined)
    return {
      wrong: '@InjectWorker names undefined',
      remedy: "modules import each other in a circle: name the worker, @InjectWorker('name'), and import its class with `import type`",
    };
  if (typeof worker === 'string') {
    if (workers.some(({ name }) => name === worker)) return undefined;
    const names = workers.map(({ name }) => `'${name}'`).join(', ');
    return {
      wrong: `no worker of this application is named '${worker}'`,
      remedy: `${names === '' ? 'list' : `its workers are ${names}: write one of them, or list`} it in \`workers\` of a module`,
    };
  }
  if (workers.some(({ cls }) => cls === worker)) return undefined;
  if (kindOf(worker) !== 'worker')
    return { wrong: `@InjectWorker names ${nameOf(worker)}, which is not a worker`, remedy: "decorate it with @Worker('name')" };
  return {
    wrong: `@InjectWorker names ${nameOf(worker)}, which is no worker of this application`,
    remedy: 'list it in `workers` of a module',
  };
}

/** Clients of workers that the application does not have. */
export function unknownWorkers(built: readonly Built[], workers: readonly WorkerBlueprint[]): readonly Mistake[] {
  return built.flatMap(({ cls, parameters }) =>
    parameters.flatMap((parameter, index) => {
      const mistake = parameter.kind === 'worker' ? workerReferenceMistake(parameter.worker, workers) : undefined;
      return mistake ? [{ where: nameOf(cls), member: `constructor, parameter ${index + 1}`, ...mistake }] : [];
    }),
  );
}

/** Mistakes of `@InjectOptions` in a class that is never started with options. */
export function strayOptions(built: readonly Built[]): readonly Mistake[] {
  return built.flatMap(({ cls, parameters }) =>
    parameters.flatMap((parameter, index) =>
      parameter.kind === 'options'
        ? [
            {
              where: nameOf(cls),
              member: `constructor, parameter ${index + 1}`,
              wrong: '@InjectOptions exists in workers only',
              remedy: 'move it to a @Worker class; a proxy has `this.options`',
            },
          ]
        : [],
    ),
  );
}
