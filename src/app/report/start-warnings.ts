import type { AppBlueprint } from '../../blueprint/types.js';
import { publish } from '../../diagnostics.js';

/** Tells what works, and is probably not meant: an application of nothing, a worker that may hold a call for ever. */
export function warnAtStart(app: string, { connections, mounted, workers, providers }: AppBlueprint): void {
  if (connections.length + mounted.length + workers.length + providers.length === 0)
    publish('app.warning', {
      app,
      message: 'the module lists nothing (no connections, workers or providers): nothing keeps the program running, and it ends',
    });
  const endless = workers.filter(({ settings, tasks }) => settings.timeout === 0 && [...tasks.values()].some(task => !task.timeout));
  if (endless.length === 0) return;
  const names = endless.map(({ name }) => name).join(', ');
  publish('app.warning', { app, message: `no timeout: calls to ${names} may run for ever; write @Worker(name, { timeout: '30s' })` });
}
