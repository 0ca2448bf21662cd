import { expect } from 'chai';
import { z } from 'zod';
import { App, Connection, Module, UsageError } from 'packet-ts';
import { Get, OnRequest, Post, Put, Route } from 'packet-ts/http';
import { createTestApp } from 'packet-ts/testing';
import type { Ctor } from '../../../src/decorators/ctor.js';
import { atEnd } from '../../kit/index.js';

async function appOf(...connections: Ctor[]): Promise<App> {
  @Module({ connections })
  class AppModule {}
  const app = await createTestApp(AppModule).start();
  atEnd(() => app.close({ timeout: 1 }));
  return app;
}

const Order = z.object({ id: z.number().int(), item: z.string() }).meta({ id: 'Order' });
const Tree = z.object({
  name: z.string(),
  get children() {
    return z.array(Tree);
  },
});

/** A schema of another library. */
const foreign = { '~standard': { version: 1 as const, vendor: 'other', validate: (value: unknown) => ({ value }) } };

@Connection({ listen: 'http://127.0.0.1:0/api' })
class Orders {
  constructor(private readonly app: App) {}

  @Get('/orders', {
    query: z.object({ page: z.coerce.number().default(1), tag: z.array(z.string()).optional() }),
    response: z.array(Order),
  })
  list() {
    return [];
  }
  @Put('/orders/:id', {
    params: z.object({ id: z.coerce.number().int().min(1) }),
    headers: z.object({ 'if-match': z.string() }),
    body: Order.omit({ id: true }),
    response: Order,
  })
  change() {
    return { id: 1, item: '' };
  }
  @Post('/trees', { body: Tree.optional() }) plant() {}
  @Get('/files/*', { response: z.string() }) file() {
    return '';
  }
  @Post('/foreign', { body: foreign, query: foreign }) foreign() {}
  @Route('PROPFIND', '/files/*') properties() {}
  @Get('/openapi.json') document() {
    return this.app.openapi({ info: { title: 'Orders', version: '1.2.0' }, servers: [{ url: 'https://api.example' }] });
  }
  @OnRequest() rest() {
    return new Response();
  }
}

describe('app.openapi()', () => {
  it('has every route with its path, parameters, bodies and answers, and can be served', async () => {
    const app = await appOf(Orders);
    const document = (await (await fetch(`${app.address(Orders).url}/openapi.json`)).json()) as ReturnType<App['openapi']>;
    expect(document).to.include({ openapi: '3.1.0' });
    expect(document.info).to.deep.equal({ title: 'Orders', version: '1.2.0' });
    expect(document.servers).to.deep.equal([{ url: 'https://api.example' }]);
    expect(Object.entries(document.paths).map(([path, item]) => `${Object.keys(item).join()} ${path}`)).to.deep.equal([
      'get /api/orders',
      'put /api/orders/{id}',
      'post /api/trees',
      'get /api/files/{rest}',
      'post /api/foreign',
      'get /api/openapi.json',
    ]);
    const { get: list } = document.paths['/api/orders']!;
    expect(list!.operationId).to.equal('Orders_list');
    expect(list!.parameters).to.deep.equal([
      { name: 'page', in: 'query', required: false, schema: { default: 1, type: 'number' } },
      { name: 'tag', in: 'query', required: false, schema: { type: 'array', items: { type: 'string' } } },
    ]);
    expect(list!.responses['200']!.content!['application/json']!.schema).to.deep.equal({
      type: 'array',
      items: { $ref: '#/components/schemas/Order' },
    });
    expect(list!.responses['400']!.description).to.equal('the request does not fit');
    const { put: change } = document.paths['/api/orders/{id}']!;
    expect(change!.parameters!.map(({ name, in: place, required }) => [name, place, required])).to.deep.equal([
      ['id', 'path', true],
      ['if-match', 'header', true],
    ]);
    expect(change!.parameters![0]!.schema).to.deep.include({ type: 'integer', minimum: 1 });
    expect(change!.requestBody).to.deep.equal({
      required: true,
      content: { 'application/json': { schema: { type: 'object', properties: { item: { type: 'string' } }, required: ['item'] } } },
    });
    const { post: plant } = document.paths['/api/trees']!;
    expect(plant!.requestBody!.required).to.equal(false);
    expect(document.components!.schemas['Order']).to.deep.include({ type: 'object', required: ['id', 'item'] });
    expect(document.paths['/api/files/{rest}']!['get']!.responses['200']!.content).to.have.keys('text/plain');
    expect(JSON.stringify(document.paths['/api/foreign'])).to.contain('gives no JSON Schema');
    expect(document.paths['/api/openapi.json']!['get']!.responses).to.not.have.property('400');
  });

  it('refers to nothing that it does not have', async () => {
    const document = (await appOf(Orders)).openapi();
    expect(document.info.version).to.equal('0.0.0');
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name!);
    expect(references.length).to.be.greaterThan(2);
    for (const name of references) expect(document.components!.schemas, name).to.have.property(name);
    expect(JSON.stringify(document)).to.not.match(/"#"|\$defs/);
  });

  it('refuses options that it does not have', async () => {
    const app = await appOf(Orders);
    const untyped = (value: unknown): never => value as never;
    expect(() => app.openapi(untyped({ title: 'x' }))).to.throw(UsageError, /title/);
    expect(() => app.openapi(untyped({ info: 'x' }))).to.throw(UsageError, /info/);
  });
});
