import type { InsideBlueprint, Token, WorkerBlueprint } from '../blueprint/types.js';
import { Master } from '../tasks/master.js';
import { Owner } from '../workers/call/owner.js';
import { nameOf } from '../blueprint/index.js';
import { Workers } from '../workers/workers.js';
import { App } from './app.js';
import { tokenText, type Absence } from './container/build-plan.js';
import { AppContainer, type FrameworkParts, type Override } from './container/container.js';
import { ownParts, type CommonParts } from './container/own-parts.js';

/** What a worker's container has of the process that it is in. */
export interface WorkerParts extends Pick<FrameworkParts, 'client'> {
  master(): Master;
  readonly options: unknown;
  /** What stands in the place of what it provides: in tests, inline. */
  readonly overrides?: ReadonlyMap<Token, Override> | undefined;
  /** What the modules of the application provide, in the master. */
  readonly provided?: ReadonlySet<Token> | undefined;
}

/** The container of one worker, everything that it will build planned: `mistakes` has what cannot be built. */
export function workerContainer(
  worker: WorkerBlueprint,
  { connections, providers }: InsideBlueprint,
  common: CommonParts,
  { master, client, options, overrides = new Map(), provided = new Set() }: WorkerParts,
): AppContainer {
  const own = new Set<Token>([worker.cls, ...providers.map(({ token }) => token)]);
  const container = new AppContainer(
    ownParts(common, {
      constants: [[Master, master]],
      absent: [
        [App, 'exists in the master only'],
        [Workers, 'exists in the master only'],
      ],
      client,
      options: { value: options },
      elsewhere: token => (provided.has(token) ? providedByModule(worker, token) : undefined),
    }),
    new Owner('app', `worker:${worker.name}`),
    new Map([...overrides].filter(([token]) => own.has(token))),
  );
  container.declare([...providers, { token: worker.cls, kind: 'class', cls: worker.cls, scope: 'app' }]);
  container.verify();
  for (const { cls } of connections) container.planConnection(cls);
  return container;
}

/** A worker asks for what its application's modules provide. */
function providedByModule({ name, className }: WorkerBlueprint, token: Token): Absence {
  const listed = typeof token === 'function' ? nameOf(token) : `{ token: ${tokenText(token)}, … }`;
  return {
    wrong: `${tokenText(token)} is provided by a module, in the master, and ${className} lives in a process of its own`,
    remedy: `provide it there, too: @Worker('${name}', { providers: [${listed}] }), or imports: [the module that has it]; docs/providers.md`,
  };
}

function elsewhere(): never {
  throw new TypeError('a plan made in the master is not carried out there');
}

/** What makes a process load something before its worker, which may register with tsyringe what nobody knows of here. */
const PRELOADS = /^(--import|--require|-r)(=|$)/;

/**
 * Plans what a worker will build, in the master and before any process starts: `mistakes` has what it cannot build. `common` is looked at by nobody.
 * A process that is told to load something first finds it by itself.
 */
export function planWorker(
  worker: WorkerBlueprint,
  inside: InsideBlueprint,
  common: CommonParts,
  { overrides, provided }: Pick<WorkerParts, 'overrides' | 'provided'>,
): Pick<AppContainer, 'mistakes' | 'asked' | 'mayAskForMore'> {
  if (worker.settings.execArgv.some(flag => PRELOADS.test(flag))) return { mistakes: [], asked: new Set(), mayAskForMore: true };
  return workerContainer(worker, inside, common, { master: elsewhere, client: elsewhere, options: undefined, overrides, provided });
}
