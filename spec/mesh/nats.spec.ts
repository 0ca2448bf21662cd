import { bootstrap } from '../../src/index.js';
import { nats } from '../../src/nats/index.js';
import { natsServer, needsProgram, spawnScript } from '../kit/index.js';
import { callsConformance } from './support/calls-conformance.js';
import { Caller, CallsModule } from './support/module.js';

describe('calls over NATS, to a host in another process', () => {
  if (!needsProgram('nats-server')) return;

  callsConformance(async () => {
    const server = await natsServer();
    const host = spawnScript(new URL('./support/host.main.js', import.meta.url), [server.url, 'host-1']);
    await host.line('serving');
    const app = await bootstrap(CallsModule, {
      mesh: nats({ servers: server.url }),
      placement: { mesh_calls: 'remote' },
      logger: false,
      signals: false,
    });
    const close = async (): Promise<void> => {
      await app.close();
      host.kill('SIGTERM');
      await host.exit();
      await server.kill();
    };
    return { app, calls: app.get(Caller).calls, host: 'host-1', close };
  });
});
