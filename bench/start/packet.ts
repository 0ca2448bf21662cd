/** Imports the package as it is published, and prints how many milliseconds `bootstrap()` of an application with one worker takes. */
import { bootstrap, Module } from 'packet-ts';
import { StartWorker } from './worker.js';

@Module({ workers: [StartWorker] })
class StartModule {}

const begin = performance.now();
const app = await bootstrap(StartModule, { logger: false });
console.log(performance.now() - begin);
await app.close();
