import { fastify, type FastifyInstance } from 'fastify';

const ORDER = {
  type: 'object',
  required: ['id', 'item', 'quantity'],
  properties: { id: { type: 'integer' }, item: { type: 'string' }, quantity: { type: 'integer' } },
} as const;

/** What every contender serves: a line of text, a JSON body sent back, and an order by a path whose every part has a schema. */
export function application(): FastifyInstance {
  const app = fastify();
  app.get('/', (_request, reply) => reply.type('text/plain; charset=utf-8').send('hello world'));
  app.post('/echo', ({ body }) => body);
  app.get<{ Params: { id: number }; Querystring: { verbose?: boolean } }>(
    '/orders/:id',
    {
      schema: {
        params: { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } },
        querystring: { type: 'object', properties: { verbose: { type: 'boolean' } } },
        response: { 200: ORDER },
      },
    },
    ({ params, query }) => ({ id: params.id, item: query.verbose === true ? 'a chair of oak' : 'chair', quantity: 2, secret: 'not told' }),
  );
  app.put<{ Params: { id: number }; Body: { item: string; quantity: number } }>(
    '/orders/:id',
    {
      schema: {
        params: { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } },
        body: { type: 'object', required: ['item', 'quantity'], properties: { item: { type: 'string' }, quantity: { type: 'integer' } } },
        response: { 200: ORDER },
      },
    },
    ({ params, body }) => ({ id: params.id, ...body }),
  );
  return app;
}
