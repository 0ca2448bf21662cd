import { basename } from 'node:path';
import { hookBootstrap, type RunningApp } from '../../app/start/bootstrap-hook.js';
import { bootstrap } from '../../app/bootstrap.js';
import type { BootstrapOptions } from '../../app/start/bootstrap-types.js';
import { moduleClassOf } from '../module-class.js';
import { exitWithError, importModule } from './import-module.js';
import { Parent } from './parent.js';
import type { ChildPlan, ParentMessage } from './plan.js';
import { restartPools, workerSources } from './pools.js';

function defaultsOf({ closeTimeout, admin }: ChildPlan): BootstrapOptions {
  return {
    // Checked by the command.
    ...(closeTimeout !== undefined && { closeTimeout: closeTimeout as NonNullable<BootstrapOptions['closeTimeout']> }),
    ...(admin === true && { admin: true }),
  };
}

/** Another process has taken over: finishes what there is, then the process ends. */
async function handOver(parent: Parent, apps: readonly RunningApp[]): Promise<void> {
  parent.stopAccepting();
  const graceful = await Promise.all(apps.map(app => app.handOver()));
  process.exit(graceful.every(Boolean) ? 0 : 1);
}

/** Starts the application that a module exports, or waits for the one that it starts by itself, and tells the parent when it listens. */
export async function runModule(plan: ChildPlan): Promise<void> {
  const parent = new Parent();
  parent.attach();
  // The command's own: it reloads, and this process is one of those that it reloads.
  process.on('SIGHUP', () => {});
  const apps: RunningApp[] = [];
  let called = false;
  let failed!: (error: Error) => void;
  let begun!: () => void;
  const own = new Promise<void>((resolve, reject) => {
    begun = resolve;
    failed = reject;
  });
  own.catch(() => {});
  hookBootstrap({
    begin: () => {
      called = true;
      return undefined;
    },
    defaults: defaultsOf(plan),
    onStarted: app => {
      apps.push(app);
      begun();
    },
    onFailed: failed,
  });
  parent.onMessage = message => void hear(message, parent, apps);
  try {
    const exports = await importModule(plan);
    if (called) await own;
    else await bootstrap(moduleClassOf(exports, basename(plan.file), plan.export));
  } catch (error) {
    exitWithError(error, plan);
    return;
  }
  parent.tell({ packet: 'ready', workers: workerSources(apps) });
}

async function hear(message: ParentMessage, parent: Parent, apps: readonly RunningApp[]): Promise<void> {
  if (message.packet === 'hand-over') await handOver(parent, apps);
  else if (message.packet === 'restart')
    parent.tell({ packet: 'restarted', id: message.id, error: await restartPools(apps, message.pools) });
  else if (message.packet === 'look') {
    const facts = apps.map(({ inspection }) => ({
      name: inspection.name,
      listeners: inspection.listeners(),
      connections: inspection.connectionCount,
      pools: inspection.pools(),
      calls: [...inspection.calls()].sort((a, b) => b.age - a.age).slice(0, OLDEST),
    }));
    parent.tell({
      packet: 'seen',
      id: message.id,
      facts: { pid: process.pid, rss: process.memoryUsage.rss(), uptime: process.uptime(), apps: facts },
    });
  }
}

/** Calls in flight that are shown. */
const OLDEST = 10;
