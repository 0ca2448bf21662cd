import { bootstrap } from 'packet-ts';
import { AppModule } from './app.module.js';

const app = await bootstrap(AppModule);
console.log(app.describe());
