import type { ApplicationReading } from '../../blueprint/index.js';
import type { WorkerBlueprint } from '../../blueprint/types.js';
import type { Mistake } from '../../errors.js';
import { isObject, show } from '../../option-rules.js';
import { placementOf, type Placement, type Placements } from './mesh-side.js';

const PLACEMENTS: ReadonlySet<unknown> = new Set<Placement>(['local', 'remote', 'spill']);

/** Has what a mesh has. */
export function isMesh(value: unknown): boolean {
  return isObject(value) && typeof value['connect'] === 'function';
}

/** Why a worker cannot run on another machine. */
export function remoteMistakes(worker: WorkerBlueprint, where: string): readonly Mistake[] {
  const { className, connections, written, settings } = worker;
  const mistakes: Mistake[] = [];
  const report = (wrong: string, remedy: string): void =>
    void mistakes.push({ where, wrong: `${className} cannot run on another machine: ${wrong}`, remedy });
  if (connections.length > 0)
    report(
      'it has connections of its own, and sockets do not leave this machine',
      "place it 'local', and put the work into a worker of its own",
    );
  if (settings.runtime === 'inline' && written.has('runtime'))
    report("it is declared with runtime: 'inline'", "remove `runtime`, or place it 'local'");
  return mistakes;
}

/** Mistakes in `mesh` and `placement` of `bootstrap()`. */
export function placementMistakes(options: { mesh?: unknown; placement?: unknown }, { app }: ApplicationReading): readonly Mistake[] {
  const mistakes: Mistake[] = [];
  const where = 'bootstrap(): placement';
  const report = (wrong: string, remedy: string): void => void mistakes.push({ where, wrong, remedy });
  const { mesh, placement } = options;
  if (placement === undefined || !isObject(placement)) return mistakes;
  const names = new Set(app.workers.map(({ name }) => name));
  for (const [name, value] of Object.entries(placement)) {
    if (name !== '*' && !names.has(name))
      report(`'${name}' is no worker of this application`, `name one of ${[...names].map(each => `'${each}'`).join(', ')}, or '*'`);
    if (!PLACEMENTS.has(value)) report(`'${name}' is placed ${show(value)}`, "write 'local', 'remote' or 'spill'");
  }
  const away = app.workers.filter(worker => placementOf(worker, placement as Placements) !== 'local');
  if (mesh === undefined && away.length > 0)
    report(`${away[0]!.name} is placed on other machines, and there is no mesh`, 'write `mesh: nats({ servers })` (packet-ts/nats)');
  for (const worker of away) mistakes.push(...remoteMistakes(worker, where));
  return mistakes;
}
