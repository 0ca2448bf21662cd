import type { AroundFunction } from '../decorators/around-types.js';
import { channelSpecOf } from '../decorators/injection/channel-token.js';
import { ownDeclarations } from '../decorators/metadata.js';
import type { ModuleOptions } from '../decorators/injection/provider-types.js';
import type { Mistake } from '../errors.js';
import { discoverWorkers, isDiscovery } from './discovery.js';
import { kindOf } from './lineage.js';
import { readMembers } from './members.js';
import { nameOf, reporter, type Report } from './mistakes.js';
import { checkOptions, list, type Rules } from './option-rules.js';
import { mergeProviders, readDeclaration } from './provider/provider-declarations.js';
import type { Ctor, MountedPart, ProviderDeclaration, WorkerBlueprint } from './types.js';

/** Modules are flat: this is all of them, merged. */
export interface Merged {
  readonly connections: readonly Ctor[];
  readonly mounted: readonly MountedPart[];
  readonly workers: readonly Ctor[];
  readonly providers: readonly ProviderDeclaration[];
  readonly around: readonly AroundFunction[];
}

const rules = { imports: list, connections: list, workers: list, providers: list, around: list } satisfies Record<
  keyof ModuleOptions,
  Rules[string]
>;

interface OneModule {
  readonly options: Record<string, readonly unknown[]>;
  readonly report: Report;
}

function isMounted(value: unknown): value is MountedPart {
  // Nothing else makes them than mount().
  return typeof value === 'object' && value !== null && (value as Partial<MountedPart>).__mounted === true;
}

function openModule(cls: unknown, importer: Report | undefined, mistakes: Mistake[]): OneModule | undefined {
  const declaration = typeof cls === 'function' ? ownDeclarations(cls as Ctor).classes.find(each => each.kind === 'module') : undefined;
  if (declaration?.kind !== 'module') {
    const circular = cls === undefined ? '`undefined` means modules that import each other in a circle' : 'decorate it with @Module({ … })';
    if (importer) importer('imports', `it lists ${nameOf(cls)}, which is no module`, circular);
    else reporter(nameOf(cls), mistakes)(undefined, 'it is no module', circular);
    return undefined;
  }
  const report = reporter(nameOf(cls), mistakes);
  readMembers(cls as Ctor, 'module', report);
  return { options: checkOptions(declaration.options, rules, '@Module', report) as Record<string, readonly unknown[]>, report };
}

/** A module and all that it imports, each once, imported ones first. */
function withImports(root: OneModule, mistakes: Mistake[]): readonly OneModule[] {
  const seen = new Set<unknown>();
  const modules: OneModule[] = [];
  const visit = (module: OneModule): void => {
    for (const imported of module.options['imports'] ?? []) {
      if (seen.has(imported)) continue;
      if (imported !== undefined) seen.add(imported);
      const opened = openModule(imported, module.report, mistakes);
      if (opened) visit(opened);
    }
    modules.push(module);
  };
  visit(root);
  return modules;
}

/** Tells what stands in one list twice. Different modules may list the same class: it counts once. */
function checkTwice(written: readonly unknown[], member: string, report: Report): void {
  const twice = new Set(written.filter((value, i) => value !== undefined && written.indexOf(value) !== i));
  for (const value of twice) report(member, `it lists ${nameOf(value)} twice`, 'list it once');
}

function readConnections({ options, report }: OneModule): readonly (Ctor | MountedPart)[] {
  const written = options['connections'] ?? [];
  checkTwice(written, 'connections', report);
  return written.filter((value): value is Ctor | MountedPart => {
    if (isMounted(value) || kindOf(value) === 'connection') return true;
    const what = typeof value === 'function' ? `${nameOf(value)}, which has no @Connection` : String(value);
    report(
      'connections',
      `it lists ${what}`,
      value === undefined ? 'modules import each other in a circle: break it' : 'decorate it with @Connection({ … })',
    );
    return false;
  });
}

async function readWorkers({ options, report }: OneModule): Promise<readonly Ctor[]> {
  const written = options['workers'] ?? [];
  checkTwice(written, 'workers', report);
  const workers: Ctor[] = [];
  for (const value of written) {
    if (isDiscovery(value)) workers.push(...(await discoverWorkers(value, report)));
    else if (kindOf(value) === 'worker') workers.push(value as Ctor);
    else {
      const what = typeof value === 'function' ? `${nameOf(value)}, which has no @Worker` : String(value);
      report(
        'workers',
        `it lists ${what}`,
        value === undefined
          ? 'modules import each other in a circle: break it'
          : "decorate it with @Worker('name'), or write discover(folder)",
      );
    }
  }
  return workers;
}

function readAround({ options, report }: OneModule): readonly AroundFunction[] {
  return (options['around'] ?? []).filter((fn): fn is AroundFunction => {
    if (typeof fn === 'function') return true;
    report('around', `it lists ${nameOf(fn)}, which is no function`, 'list functions (context, next), as retry() makes one');
    return false;
  });
}

async function merge(modules: readonly OneModule[], workersToo: boolean): Promise<Merged> {
  const connections = new Set<Ctor | MountedPart>();
  const workers = new Set<Ctor>();
  const providers: { declaration: ProviderDeclaration; report: Report }[] = [];
  for (const module of modules) {
    for (const connection of readConnections(module)) connections.add(connection);
    if (workersToo) for (const worker of await readWorkers(module)) workers.add(worker);
    checkTwice(module.options['providers'] ?? [], 'providers', module.report);
    for (const written of module.options['providers'] ?? []) {
      // A channel needs no listing: every class that injects it has it. Listing one is harmless.
      if (channelSpecOf(written)) continue;
      const declaration = readDeclaration(written, module.report);
      if (declaration) providers.push({ declaration, report: module.report });
    }
  }
  const listed = [...connections];
  return {
    connections: listed.filter(value => typeof value === 'function'),
    mounted: listed.filter(isMounted),
    workers: [...workers],
    providers: mergeProviders(providers),
    // Functions of an imported module stand inside those of its importer.
    around: modules.toReversed().flatMap(readAround),
  };
}

/** Everything that a module and its imports list. Folders given to `discover()` are imported here. */
export async function mergeModules(root: Ctor, mistakes: Mistake[]): Promise<Merged> {
  const module = openModule(root, undefined, mistakes);
  return merge(module ? withImports(module, mistakes) : [], true);
}

/**
 * Merges the contents of a worker's own process: its connections and providers, and those of the modules that it imports. Never other
 * workers.
 */
export async function mergeWorker({ className, connections, providers, imports }: WorkerBlueprint, mistakes: Mistake[]): Promise<Merged> {
  const module = { options: { connections, providers, imports }, report: reporter(className, mistakes) };
  return merge(withImports(module, mistakes), false);
}
