import { bootstrap, serveWorkers } from '../../src/index.js';
import { memoryMesh } from '../../src/testing/index.js';
import { callsConformance } from './support/calls-conformance.js';
import { Caller, CallsModule } from './support/module.js';

const quiet = { logger: false, signals: false } as const;

describe('calls over a mesh in memory', () => {
  callsConformance(async () => {
    const mesh = memoryMesh();
    const host = await serveWorkers(CallsModule, { mesh, workers: ['mesh_calls'], name: 'host-1', ...quiet });
    const app = await bootstrap(CallsModule, { mesh, placement: { mesh_calls: 'remote' }, ...quiet });
    const close = async (): Promise<void> => {
      await app.close();
      await host.close();
    };
    return { app, calls: app.get(Caller).calls, host: 'host-1', close };
  });
});
