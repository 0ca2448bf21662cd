/** The same application on the reactor, default options. */
import { mount } from '../../../src/http/index.js';
import { bootstrap, Module } from '../../../src/index.js';
import { application } from './application.js';

const web = mount(application, { listen: 'http://127.0.0.1:0' });

@Module({ connections: [web] })
class WebModule {}

const app = await bootstrap(WebModule, { logger: false });
console.log(app.address(web).port);
