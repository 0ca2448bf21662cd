import { bootstrap, Module } from 'packet-ts';
import type { Ctor } from '../../../src/decorators/ctor.js';
import type { Mounted } from '../../../src/decorators/injection/provider-types.js';
import { atEnd } from '../../kit/index.js';

/** Starts an application of one connection class, or of one mounted application; it is closed at the end of the test. */
export async function serve(connection: Ctor | Mounted, module: object = {}) {
  @Module({ connections: [connection], ...module })
  class AppModule {}
  const app = await bootstrap(AppModule, { logger: false, signals: false });
  atEnd(() => app.close({ timeout: 1 }));
  const { url, port } = app.address(connection);
  return { app, url, port };
}
