/** `@OnRequest` with the web's Request and Response, for comparison: it makes both for every request. */
import { OnRequest } from '../../../src/http/index.js';
import { bootstrap, Connection, Module } from '../../../src/index.js';

@Connection({ listen: 'http://127.0.0.1:0' })
class Web {
  @OnRequest()
  answer(): Response {
    return Response.json({ hello: 'world' });
  }
}

@Module({ connections: [Web] })
class WebModule {}

const app = await bootstrap(WebModule, { logger: false });
console.log(app.address(Web).port);
