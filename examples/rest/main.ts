import { App, bootstrap, Connection, Module, OnError } from 'packet-ts';
import { Delete, Get, Post, Put, Use, type RouteInput, type UseFunction } from 'packet-ts/http';
import { z } from 'zod';
import { NewOrder, NoSuchOrder, Order, OrderStore } from './orders.js';

const URL_HERE = 'http://127.0.0.1:11082';
const ById = z.object({ id: z.coerce.number().int().positive() });

const list = {
  query: z.object({ from: z.coerce.number().int().default(0), size: z.coerce.number().int().min(1).max(100).default(20) }),
  response: z.array(Order),
};
const add = { body: NewOrder };
const find = { params: ById, response: Order };
const change = { params: ById, body: NewOrder, response: Order };
const remove = { params: ById };

/** Browsers show it among the timings of a request. */
const timed: UseFunction = async (_request, next) => {
  const began = performance.now();
  const response = await next();
  response.headers.set('server-timing', `app;dur=${(performance.now() - began).toFixed(1)}`);
  return response;
};

/** A page that is developed on another port may use the API. */
const cors = { origin: ['http://localhost:5173'], exposedHeaders: ['location'], maxAge: '10m' } as const;

@Connection({ listen: URL_HERE, cors })
@Use(timed)
class Orders {
  constructor(private readonly store: OrderStore) {}

  @Get('/orders', list) list({ query }: RouteInput<typeof list>) {
    return this.store.page(query.from, query.size);
  }
  @Post('/orders', add) add({ body }: RouteInput<typeof add>) {
    const order = this.store.add(body);
    return Response.json(order, { status: 201, headers: { location: `/orders/${order.id}` } });
  }
  @Get('/orders/:id', find) find({ params }: RouteInput<typeof find>) {
    return this.store.find(params.id);
  }
  @Put('/orders/:id', change) change({ params, body }: RouteInput<typeof change>) {
    return this.store.change(params.id, body);
  }
  @Delete('/orders/:id', remove) remove({ params }: RouteInput<typeof remove>) {
    this.store.remove(params.id);
  }
  // What a schema refuses is answered with 400 already.
  @OnError() explain(error: Error) {
    return error instanceof NoSuchOrder ? Response.json({ message: error.message }, { status: 404 }) : undefined;
  }
}

/** Another class on the same port: what describes the first. */
@Connection({ listen: URL_HERE })
class Documents {
  constructor(private readonly app: App) {}

  @Get('/openapi.json') openapi() {
    return this.app.openapi({ info: { title: 'Orders', version: '1.0.0' } });
  }
}

@Module({ connections: [Orders, Documents], providers: [OrderStore] })
class AppModule {}

await bootstrap(AppModule);
