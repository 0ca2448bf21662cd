/** A caller under load: `node journal-load.main.js <url>`. Says what became of its calls when its stdin ends. */
import { once } from 'node:events';
import { bootstrap } from '../../../src/index.js';
import { nats } from '../../../src/nats/index.js';
import { makeCalls } from './calls-load.js';
import { JournalCaller, JournalModule } from './journal.worker.js';

const [servers] = process.argv.slice(2);
const app = await bootstrap(JournalModule, { mesh: nats({ servers: servers!.split(',') }), placement: { '*': 'remote' }, logger: false });
const { journal } = app.get(JournalCaller);
const load = makeCalls(id => journal.run({ id, ms: 5 }));
process.stdout.write('calling\n');
process.stdin.resume();
await once(process.stdin, 'end');
const { done, failed } = await load.stop();
process.stdout.write(
  `${JSON.stringify({ done: done.length, failed: [...failed.values()].map(({ name, message }) => `${name}: ${message}`) })}\n`,
);
await app.close();
