import { bootstrap, Module } from 'packet-ts';
import { EdgeWorker } from './edge.js';

@Module({ workers: [EdgeWorker] })
class AppModule {}

const app = await bootstrap(AppModule);
console.log(app.describe());
