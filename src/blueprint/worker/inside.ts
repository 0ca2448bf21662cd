import type { Mistake } from '../../errors.js';
import { hostNamed } from '../../hosts/registry.js';
import { readConnection } from '../connection/connection.js';
import { readEndpoints, schemeOf } from '../connection/endpoints.js';
import { mergedOptions, withoutUndefined } from '../lineage.js';
import { reporter } from '../mistakes.js';
import { mergeWorker } from '../module.js';
import { providerMistakes } from '../provider/provider-declarations.js';
import { checkServed } from '../served.js';
import type { Mounted } from '../../decorators/injection/provider-types.js';
import type { ConnectionBlueprint, Ctor, EndpointBlueprint, InsideBlueprint, WorkerBlueprint } from '../types.js';

/** Contents of a worker's own process, flat: its connections and providers and those of the modules that it imports. */
export interface Inside extends InsideBlueprint {
  readonly mistakes: readonly Mistake[];
}

/** Schemes of descriptors that a process inherits from its parent; child processes of ours do not inherit them. */
const MASTERS_OWN = new Set(['stdio', 'fd', 'systemd']);

/** Options allowed beside an endpoint that replaces one inside a worker. All others are read in the worker, from the decorator. */
const READ_HERE = new Set(['backlog', 'mode', 'noDelay', 'keepAlive', 'maxConnections', 'maxPerPeer', 'whenFull', 'allow', 'deny']);

function checkListening(worker: WorkerBlueprint, name: string, listens: readonly EndpointBlueprint[], mistakes: Mistake[]): void {
  const report = reporter(worker.className, mistakes);
  const { accept, maxWorkers, minWorkers, runtime } = worker.settings;
  // Each process of the pool would bind the port, and only one can.
  if (maxWorkers > 1 && listens.some(endpoint => schemeOf(endpoint) === 'udp'))
    report('connections', `${name} listens on udp, and maxWorkers is ${maxWorkers}`, 'write maxWorkers: 1, or let the master listen');
  else if (maxWorkers > 1 && listens.length > 0 && hostNamed(runtime)?.listensAlone)
    report(
      'connections',
      `${name} listens, maxWorkers is ${maxWorkers}, and no socket can be passed to runtime '${runtime}'`,
      "write maxWorkers: 1, runtime: 'process', or let the master listen",
    );
  if (accept !== 'shared' || listens.length === 0) return;
  if (minWorkers === 0)
    report(
      '@Worker',
      `accept: 'shared' and minWorkers: 0: no process would accept the first connection`,
      "write minWorkers: 1, or accept: 'master'",
    );
  if (listens.some(({ options }) => options['whenFull'] === 'pause'))
    report(
      'connections',
      `${name} pauses when it is full, and its sockets are shared: the others accept on`,
      "write accept: 'master', which counts over all processes",
    );
}

function checkOwners(name: string, endpoints: readonly EndpointBlueprint[], mistakes: Mistake[]): void {
  const report = reporter(name, mistakes);
  for (const endpoint of endpoints) {
    if (!MASTERS_OWN.has(schemeOf(endpoint))) continue;
    report(undefined, `'${endpoint.url}' is given to the process that was started, and a worker is another one`, 'let the master have it');
  }
}

/** In the master functions are called, once; `replaced` is what `bootstrap(…, { listen })` has for the class. */
function atMaster(worker: WorkerBlueprint, reading: ConnectionBlueprint, replaced: unknown, mistakes: Mistake[]): ConnectionBlueprint {
  const { cls, name, options } = reading;
  const report = reporter(name, mistakes);
  const written = withoutUndefined(mergedOptions(cls, 'connection'));
  const listens = readEndpoints(replaced ?? written['listen'], options, 'listen', report);
  const connects = typeof written['connect'] === 'function' ? [] : readEndpoints(written['connect'], options, 'connect', report);
  for (const endpoint of replaced === undefined ? [] : listens) {
    const unread = Object.keys(endpoint.options).filter(option => endpoint.options[option] !== options[option] && !READ_HERE.has(option));
    if (unread.length > 0)
      report('listen', `bootstrap() gives it ${unread.join(', ')}, which its worker reads from the decorator`, 'write it there');
  }
  checkOwners(name, [...listens, ...connects], mistakes);
  checkServed(reading, listens, 'listen', report);
  checkListening(worker, name, listens, mistakes);
  return { ...reading, listen: () => listens };
}

async function read(worker: WorkerBlueprint, mistakes: Mistake[]): Promise<InsideBlueprint> {
  const { connections, mounted, providers } = await mergeWorker(worker, mistakes);
  const readings = connections.map(cls => readConnection(cls));
  mistakes.push(...readings.flatMap(reading => reading.mistakes), ...providerMistakes(providers));
  if (mounted.length > 0)
    reporter(worker.className, mistakes)(
      'connections',
      'it lists what mount() made',
      'the master serves it: list it in the connections of a module',
    );
  return { connections: readings, providers };
}

/** Read in the master: where its connections listen, and everything that is wrong. */
export async function readInside(worker: WorkerBlueprint, replaced: ReadonlyMap<Ctor | Mounted, unknown>): Promise<Inside> {
  const mistakes: Mistake[] = [];
  const inside = await read(worker, mistakes);
  const connections = inside.connections.map(reading => atMaster(worker, reading, replaced.get(reading.cls), mistakes));
  return { ...inside, connections, mistakes };
}

/** Read in the worker, whose own functions are called there. */
export async function readWorkerScope(worker: WorkerBlueprint): Promise<Inside> {
  const mistakes: Mistake[] = [];
  return { ...(await read(worker, mistakes)), mistakes };
}
