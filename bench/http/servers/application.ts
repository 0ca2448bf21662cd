import { fastify, type FastifyInstance } from 'fastify';

/** What both serve: a small object as JSON. */
export function application(): FastifyInstance {
  const app = fastify();
  app.get('/', () => ({ hello: 'world' }));
  return app;
}
