/** A worker host of the eval server: `node host.js NAME`, as many as there are machines. */
import { serveWorkers } from 'packet-ts';
import { nats } from 'packet-ts/nats';
import { AppModule } from '../eval-server/app.module.js';

const mesh = nats({ servers: process.env['NATS'] ?? 'nats://127.0.0.1:4222' });
const host = await serveWorkers(AppModule, { mesh, workers: ['eval_worker'], name: process.argv[2] });
console.log(host.describe());
