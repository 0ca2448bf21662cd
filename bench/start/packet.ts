/** Prints how many milliseconds `bootstrap()` of an application with one worker takes. */
import { bootstrap, Module } from '../../src/index.js';
import { ReceiptWorker } from '../dispatch/workers/packet.js';

@Module({ workers: [ReceiptWorker] })
class StartModule {}

const begin = performance.now();
const app = await bootstrap(StartModule, { logger: false });
console.log(performance.now() - begin);
await app.close();
