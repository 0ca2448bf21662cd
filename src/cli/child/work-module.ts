import { hookBootstrap } from '../../app/start/bootstrap-hook.js';
import { serveWorkers } from '../../app/mesh/serve-workers.js';
import type { Ctor } from '../../decorators/ctor.js';
import { ConfigurationError } from '../../errors.js';
import type { Mesh } from '../../mesh/mesh-types.js';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { moduleClassOf } from '../module-class.js';
import { exitWithError, importModule } from './import-module.js';
import type { ChildPlan, WorkPlan } from './plan.js';

async function meshOf({ mesh, namespace, credentials, nkey, user, tls }: WorkPlan): Promise<Mesh> {
  const fileUrl = (path: string): URL => pathToFileURL(path);
  const { nats } = await import('../../nats/index.js');
  return nats({
    servers: mesh.split(','),
    ...(namespace !== undefined && { namespace }),
    ...(credentials !== undefined && { credentials: fileUrl(credentials) }),
    ...(nkey !== undefined && { nkey: fileUrl(nkey) }),
    ...(user !== undefined && { name: user }),
    ...(tls && { tls: true as const }),
  });
}

/** Offers workers of the module that a file exports, or would start with `bootstrap()`, to applications on other machines. */
export async function workModule(plan: ChildPlan): Promise<void> {
  const { work } = plan;
  if (!work) throw new ConfigurationError([{ where: 'packet-ts work', wrong: 'there is no plan', remedy: 'start it by the command' }]);
  let asked!: (module: Ctor) => void;
  const bootstrapped = new Promise<Ctor>(resolve => (asked = resolve));
  hookBootstrap({
    begin: module => {
      asked(module);
      return new Promise<never>(() => {});
    },
    defaults: {},
    onStarted() {},
    onFailed() {},
  });
  try {
    const imported = importModule(plan).then(exports => moduleClassOf(exports, basename(plan.file), plan.export));
    const module = await Promise.race([bootstrapped, imported]);
    const host = await serveWorkers(module, {
      mesh: await meshOf(work),
      workers: work.workers,
      ...(work.name !== undefined && { name: work.name }),
      ...(work.zone !== undefined && { zone: work.zone }),
    });
    process.stderr.write(`${host.describe()}\n`);
  } catch (error) {
    exitWithError(error, plan);
  }
}
