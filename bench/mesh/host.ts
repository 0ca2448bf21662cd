/** The worker host of this house. */
import { serveWorkers } from '../../src/index.js';
import { nats } from '../../src/nats/index.js';
import { ReceiptModule } from './module.js';

await serveWorkers(ReceiptModule, { mesh: nats({ servers: process.argv[2] }), workers: ['bench_receipts'], logger: false });
console.log('ready');
