import type { InsideBlueprint, Token, WorkerBlueprint } from '../blueprint/types.js';
import type { Mistake } from '../errors.js';
import { Master } from '../tasks/master.js';
import { Owner } from '../workers/owner.js';
import { Workers } from '../workers/workers.js';
import { App } from './app.js';
import { AppContainer, type FrameworkParts, type Override } from './container.js';
import { ownParts, type CommonParts } from './own-parts.js';

/** What a worker's container has of the process that it is in. */
export interface WorkerParts extends Pick<FrameworkParts, 'client'> {
  master(): Master;
  readonly options: unknown;
  /** What stands in the place of what it provides: in tests, inline. */
  readonly overrides?: ReadonlyMap<Token, Override> | undefined;
}

/** The container of one worker, everything that it will build planned: `mistakes` has what cannot be built. */
export function workerContainer(
  worker: WorkerBlueprint,
  { connections, providers }: InsideBlueprint,
  common: CommonParts,
  { master, client, options, overrides = new Map() }: WorkerParts,
): AppContainer {
  const own = new Set(providers.map(({ token }) => token));
  const container = new AppContainer(
    ownParts(common, {
      constants: [[Master, master]],
      absent: [
        [App, 'exists in the master only'],
        [Workers, 'exists in the master only'],
      ],
      client,
      options: { value: options },
    }),
    new Owner('app', `worker:${worker.name}`),
    new Map([...overrides].filter(([token]) => own.has(token))),
  );
  container.declare([...providers, { token: worker.cls, kind: 'class', cls: worker.cls, scope: 'app' }]);
  container.verify();
  for (const { cls } of connections) container.planConnection(cls);
  return container;
}

function elsewhere(): never {
  throw new TypeError('a plan made in the master is not carried out there');
}

/** What makes a process load something before its worker, which may register with tsyringe what nobody knows of here. */
const PRELOADS = /^(--import|--require|-r)(=|$)/;

/**
 * What a worker cannot build, found in the master before any process starts. `common` is looked at by nobody.
 * A process that is told to load something first finds it by itself.
 */
export function workerMistakes(
  worker: WorkerBlueprint,
  inside: InsideBlueprint,
  common: CommonParts,
  overrides?: ReadonlyMap<Token, Override>,
): readonly Mistake[] {
  if (worker.settings.execArgv.some(flag => PRELOADS.test(flag))) return [];
  return workerContainer(worker, inside, common, { master: elsewhere, client: elsewhere, options: undefined, overrides }).mistakes;
}
