import { bootstrap, Module, type App, type BootstrapOptions } from 'packet-ts';
import { atEnd, type TcpClient } from '../../kit/index.js';
import { EdgeHelper, EdgeWorker, SharedEdgeWorker } from '../../fixtures/connections/edge.worker.js';

/** Connections in workers, dealt by the master. */
@Module({ workers: [EdgeWorker, EdgeHelper] })
export class DealtModule {}

/** Connections in workers, accepted there from one socket. */
@Module({ workers: [SharedEdgeWorker, EdgeHelper] })
export class SharedModule {}

/** Starts an application that ends with the test. */
export async function start(module: new () => object, options: BootstrapOptions = {}): Promise<App> {
  const app = await bootstrap(module, { logger: false, signals: false, ...options });
  atEnd(() => app.close({ timeout: '3s' }));
  return app;
}

/** Sends a line, and gives the next one that comes. */
export async function ask(client: TcpClient, line: string): Promise<string> {
  await client.send(`${line}\n`);
  return client.line({ within: '10s' });
}
