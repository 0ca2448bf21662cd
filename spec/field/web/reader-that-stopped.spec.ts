import type { ServerResponse } from 'node:http';
import { expect } from 'chai';
import express from 'express';
import fastify from 'fastify';
import { mount, type Mountable } from 'packet-ts/http';
import { Events } from '../../kit/events.js';
import { soon, tcpClient, waitFor } from '../../kit/index.js';
import { deferred } from '../../kit/signals.js';
import { serve } from '../support/serve.js';

const HERE = 'http://127.0.0.1:0';
const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
const MB = 1024 * 1024;
const BODY = Buffer.alloc(30 * MB, 7);

/** The same answer, larger than what systems hold, in each framework of Node's kind. */
const MAKERS: Record<string, (answering: (response: ServerResponse) => void) => Mountable> = {
  'a listener': answering => (_request, response) => {
    answering(response);
    response.end(BODY);
  },
  Express: answering =>
    express().get('/', (_request, response) => {
      answering(response);
      response.send(BODY);
    }),
  Fastify: answering => {
    const app = fastify();
    app.get('/', (_request, reply) => {
      answering(reply.raw);
      return reply.send(BODY);
    });
    return app;
  },
};

describe('a client that stops reading what a mounted framework answers', () => {
  for (const [name, make] of Object.entries(MAKERS)) {
    it(`is cut off after drainTimeout, and the log says so: ${name}`, async () => {
      const closed = deferred();
      const app = make(response => response.once('close', () => closed.resolve()));
      const { port } = await serve(mount(() => app, { listen: HERE, drainTimeout: '200ms' }));
      using limits = new Events('connection.limit');
      const client = await tcpClient(port);
      client.socket.pause();
      await client.send(GET);
      await soon(closed.promise);
      expect(limits.seen.map(({ limit, handler }) => [handler, limit])).to.deep.equal([['mounted', 'drainTimeout']]);
      client.socket.resume();
      expect((await client.all()).length, 'what its system had taken before').to.be.lessThan(BODY.length);
    });

    it(`is not cut off while it reads, and is served again on the same connection: ${name}`, async () => {
      const { port } = await serve(mount(() => make(() => {}), { listen: HERE, drainTimeout: '20s' }));
      const client = await tcpClient(port);
      for (let i = 0; i < 2; i++) {
        await client.send(GET);
        await client.bytes(BODY.length);
      }
    });
  }

  it('is cut off, too, when it pipelines: the answer that waits behind does not hide it', async () => {
    let closed = 0;
    const app = MAKERS['Express']!(response => response.once('close', () => closed++));
    const { port } = await serve(mount(() => app, { listen: HERE, drainTimeout: '200ms' }));
    using limits = new Events('connection.limit');
    const client = await tcpClient(port);
    client.socket.pause();
    await client.send(GET + GET);
    await waitFor(() => closed === 2);
    expect(limits.seen).to.have.length(1);
  });
});
