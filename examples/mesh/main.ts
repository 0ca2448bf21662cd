/** The eval server, its workers on other machines: no line of its classes is changed. `node main.js`, with NATS=nats://… if it is not here. */
import { bootstrap } from 'packet-ts';
import { nats } from 'packet-ts/nats';
import { AppModule } from '../eval-server/app.module.js';

const mesh = nats({ servers: process.env['NATS'] ?? 'nats://127.0.0.1:4222' });
const app = await bootstrap(AppModule, { mesh, placement: { eval_worker: 'remote' } });
console.log(app.describe());
