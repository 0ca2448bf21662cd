import type { InsideBlueprint, Token, WorkerBlueprint } from '../../blueprint/types.js';
import { Master } from '../../tasks/master.js';
import { Owner } from '../../workers/call/owner.js';
import { nameOf } from '../../blueprint/index.js';
import { Workers } from '../../workers/workers.js';
import { App } from '../app.js';
import { tokenText, type Absence } from '../container/build-plan.js';
import { AppContainer, type FrameworkParts, type Override } from '../container/container.js';
import { ownParts, type CommonParts } from '../container/own-parts.js';

/** A worker container's view of its process. */
export interface WorkerParts extends Pick<FrameworkParts, 'client'> {
  master(): Master;
  readonly options: unknown;
  /** Overrides of a test, inline. */
  readonly overrides?: ReadonlyMap<Token, Override> | undefined;
  /** Tokens that the modules of the application provide, in the master. */
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

/** Options by which a process loads modules before its worker; they may register with tsyringe tokens that are unknown here. */
const PRELOADS = /^(--import|--require|-r)(=|$)/;

/**
 * Plans a worker's objects in the master, before any process starts: `mistakes` has those that cannot be built. `common` is never read.
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
