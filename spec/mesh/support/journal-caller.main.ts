/** A caller that is killed: `node journal-caller.main.js <url>` holds three calls. */
import { bootstrap } from '../../../src/index.js';
import { nats } from '../../../src/nats/index.js';
import { JournalCaller, JournalModule } from './journal.worker.js';

const [servers] = process.argv.slice(2);
const app = await bootstrap(JournalModule, { mesh: nats({ servers: servers!.split(',') }), placement: { '*': 'remote' }, logger: false });
const { journal } = app.get(JournalCaller);
for (const id of ['a', 'b', 'c']) journal.hold(id).catch(() => {});
process.stdout.write(`holding ${process.pid}\n`);
