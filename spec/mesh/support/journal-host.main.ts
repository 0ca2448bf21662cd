/** A worker host that keeps a journal: `node journal-host.main.js <url> <name> [json options of nats()]`. */
import { serveWorkers } from '../../../src/index.js';
import { nats } from '../../../src/nats/index.js';
import { JournalModule } from './journal.worker.js';

const [servers, name, more = '{}'] = process.argv.slice(2);
const mesh = nats({ servers: servers!.split(','), ...(JSON.parse(more) as object) });
const host = await serveWorkers(JournalModule, { mesh, workers: ['mesh_journal'], name });
process.stdout.write(`serving ${process.pid} as ${host.name}\n`);
