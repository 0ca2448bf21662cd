import { bootstrap } from '../../../src/index.js';
import { callsConformance } from '../../mesh/support/calls-conformance.js';
import { Caller, CallsModule } from '../../mesh/support/module.js';

describe('calls to processes of this machine', () => {
  callsConformance(async () => {
    const app = await bootstrap(CallsModule, { logger: false, signals: false });
    return { app, calls: app.get(Caller).calls, host: 'local', close: () => app.close() };
  });
});
