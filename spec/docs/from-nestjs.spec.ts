import { expect } from 'chai';
import { z } from 'zod';
import {
  type App,
  Around,
  type AroundFunction,
  bootstrap,
  channel,
  type Channel,
  Connection,
  Every,
  inject,
  injectable,
  InjectWorker,
  Module,
  OnChannel,
  OnData,
  OnError,
  OnStart,
  OnStop,
  Reactor,
  rateLimit,
  type WorkerClient,
} from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { Get, Post, type RouteInput } from 'packet-ts/http';
import { createTestApp } from 'packet-ts/testing';
import 'packet-ts/websocket';
import { Reports } from './support/reports.worker.js';
import { Journal } from '../kit/signals.js';
import { webClient } from '../kit/index.js';

/** Each line of docs/from-nestjs.md that names this file stands here, and runs. */
const CLOCK = 'clock';
const Placed = channel<string>('orders');
const Order = z.object({ id: z.number(), item: z.string() });
const Say = z.string().startsWith('say ');
const one = { params: z.object({ id: z.coerce.number().int() }) };
let journal = new Journal();

@injectable()
class Store {
  readonly #rows = new Map<number, string>();
  constructor(
    @inject(CLOCK) private readonly clock: () => number,
    @inject(Placed) private readonly placed: Channel<string>,
  ) {}
  @OnStart() protected open() {
    journal.note(`open at ${this.clock()}`);
  }
  @OnStop() protected close() {
    journal.note('closed');
  }
  @Every('5s') protected sweep() {
    journal.note('swept');
  }
  find(id: number): string | undefined {
    return this.#rows.get(id);
  }
  add({ id, item }: z.infer<typeof Order>): z.infer<typeof Order> {
    this.#rows.set(id, item);
    this.placed.publish(item);
    return { id, item };
  }
}

const guard: AroundFunction = (context, next) => {
  if (context.kind === 'request' && context.request.headers.get('authorization') === null)
    return new Response('who are you?', { status: 401 });
  return next();
};

@Connection({ listen: 'http://127.0.0.1:0' })
class Orders {
  constructor(
    private readonly store: Store,
    @InjectWorker(Reports) private readonly reports: WorkerClient<Reports>,
  ) {}
  @Get('/orders/:id', one)
  find({ params }: RouteInput<typeof one>) {
    const item = this.store.find(params.id);
    if (item === undefined) return new Response('no such order', { status: 404 });
    return Response.json({ id: params.id, item });
  }
  @Post('/orders', { body: Order, response: Order })
  add({ body }: { body: z.infer<typeof Order> }) {
    return this.store.add(body);
  }
  @Get('/sum')
  async sum() {
    return await this.reports.sum([1, 2, 3], { timeout: '5s' });
  }
  @Get('/pages')
  async pages() {
    const pages: string[] = [];
    for await (const page of this.reports.pages(3)) pages.push(page);
    return pages;
  }
  @Get('/secret')
  @Around(guard)
  secret() {
    return 'you may';
  }
  @Get('/twice')
  @Around(rateLimit({ limit: 2, per: '1m' }))
  twice() {
    return 'once more';
  }
  @Get('/broken')
  broken(): string {
    throw new Error('no');
  }
  @OnError() explain(error: Error) {
    if (error.message === 'no') return new Response(`sorry: ${error.message}`, { status: 418 });
    throw error;
  }
}

@Connection({ listen: 'ws://127.0.0.1:0/chat', framing: lines() })
class Chat {
  constructor(private readonly reactor: Reactor) {}
  @OnData(Say) say(message: string) {
    this.reactor.broadcast(Chat, message);
  }
  @OnData() other() {
    return 'say something';
  }
  @OnChannel(Placed) placed(item: string) {
    return `somebody ordered ${item}`;
  }
}

@Module({ connections: [Orders, Chat], workers: [Reports], providers: [Store, { token: CLOCK, useValue: () => 7 }] })
class AppModule {}

describe('what users of NestJS look for:', () => {
  let app: App;
  let url: string;
  before(async () => {
    journal = new Journal();
    app = await bootstrap(AppModule, { logger: false, signals: false });
    url = app.address(Orders).url;
  });
  after(async () => {
    await app.close();
    expect(journal.entries.at(-1)).to.equal('closed');
  });
  const post = (body: unknown): Promise<Response> =>
    fetch(`${url}/orders`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

  it('modules and providers', () => {
    expect(journal.entries[0]).to.equal('open at 7');
    expect(app.get(Store)).to.be.an.instanceof(Store);
  });

  it('controllers, pipes and filters', async () => {
    expect(await (await post({ id: 1, item: 'tea' })).json()).to.deep.equal({ id: 1, item: 'tea' });
    const refused = await post({ id: 'one' });
    expect(refused.status).to.equal(400);
    expect(await refused.json()).to.have.property('issues');
    expect(await (await fetch(`${url}/orders/1`)).json()).to.deep.equal({ id: 1, item: 'tea' });
    expect((await fetch(`${url}/orders/2`)).status).to.equal(404);
    const broken = await fetch(`${url}/broken`);
    expect([broken.status, await broken.text()]).to.deep.equal([418, 'sorry: no']);
  });

  it('guards and throttling', async () => {
    expect((await fetch(`${url}/secret`)).status).to.equal(401);
    expect((await fetch(`${url}/secret`, { headers: { authorization: 'me' } })).status).to.equal(200);
    const statuses = [];
    for (let n = 0; n < 3; n++) statuses.push((await fetch(`${url}/twice`)).status);
    expect(statuses).to.deep.equal([200, 200, 429]);
  });

  it('microservices', async () => {
    expect(await (await fetch(`${url}/sum`)).json()).to.equal(6);
    expect(await (await fetch(`${url}/pages`)).json()).to.deep.equal(['page 1', 'page 2', 'page 3']);
  });

  it('gateways and events', async () => {
    const address = app.address(Chat).url;
    const [first, second] = [await webClient(address), await webClient(address)];
    first.send('hello');
    expect(String(await first.next())).to.equal('say something');
    first.send('say hello');
    expect(String(await second.next())).to.equal('say hello');
    await post({ id: 3, item: 'cake' });
    expect(String(await second.next())).to.equal('somebody ordered cake');
  });

  it('the testing module', async () => {
    const test = await createTestApp(AppModule)
      .override(Store)
      .useValue({ find: () => 'a fake' })
      .start();
    const client = await test.connect(Chat);
    client.send('hello');
    await client.expect('say something');
    await test.close();
  });
});
