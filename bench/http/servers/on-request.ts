/** `@OnRequest`, default options, with the web's Request and Response as users write them. */
import { OnRequest } from '../../../src/http/index.js';
import { bootstrap, Connection, Module } from '../../../src/index.js';

@Connection({ listen: 'http://127.0.0.1:0' })
class Web {
  @OnRequest()
  async answer(request: Request): Promise<Response> {
    if (request.method === 'POST') return Response.json(await request.json());
    return new Response('hello world', { headers: { 'content-type': 'text/plain; charset=utf-8' } });
  }
}

@Module({ connections: [Web] })
class WebModule {}

const app = await bootstrap(WebModule, { logger: false });
console.log(app.address(Web).port);
