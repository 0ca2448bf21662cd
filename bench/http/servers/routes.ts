/** Routes with schemas, default options. */
import { z } from 'zod';
import { Get, Post, Put, type RouteInput } from '../../../src/http/index.js';
import { bootstrap, Connection, Module } from '../../../src/index.js';

const Order = z.object({ id: z.number().int(), item: z.string(), quantity: z.number().int() });
const find = {
  params: z.object({ id: z.coerce.number().int() }),
  query: z.object({ verbose: z.stringbool().optional() }),
  response: Order,
};
const change = {
  params: z.object({ id: z.coerce.number().int() }),
  body: z.object({ item: z.string(), quantity: z.number().int() }),
  response: Order,
};

@Connection({ listen: 'http://127.0.0.1:0' })
class Web {
  @Get('/') hello() {
    return 'hello world';
  }
  @Post('/echo') echo({ body }: { body: unknown }) {
    return body;
  }
  @Get('/orders/:id', find) find({ params, query }: RouteInput<typeof find>) {
    return { id: params.id, item: query.verbose === true ? 'a chair of oak' : 'chair', quantity: 2, secret: 'not told' };
  }
  @Put('/orders/:id', change) change({ params, body }: RouteInput<typeof change>) {
    return { id: params.id, ...body };
  }
}

@Module({ connections: [Web] })
class WebModule {}

const app = await bootstrap(WebModule, { logger: false });
console.log(app.address(Web).port);
