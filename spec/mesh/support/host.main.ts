/** A worker host: `node host.main.js <url> <name> [json options of nats()]`. */
import { serveWorkers } from '../../../src/index.js';
import { nats } from '../../../src/nats/index.js';
import { CallsModule } from './module.js';

const [servers, name, more = '{}'] = process.argv.slice(2);
const host = await serveWorkers(CallsModule, {
  mesh: nats({ servers, ...(JSON.parse(more) as object) }),
  workers: ['mesh_calls'],
  name,
});
process.stdout.write(`serving ${process.pid} as ${host.name}\n`);
