import { expect } from 'chai';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { z } from 'zod';
import { Connection, InjectWorker, OnStart, Task, Worker, Workers, type WorkerClient } from 'packet-ts';
import { mount, OnRequest } from 'packet-ts/http';
import { Events } from '../../kit/events.js';
import { waitFor } from '../../kit/index.js';
import { serve } from '../support/serve.js';

const HERE = 'http://127.0.0.1:0';
const SECRET = 'connect ECONNREFUSED postgres://admin:hunter2@10.1.2.3/db';

@Worker('field_slow', { runtime: 'inline', timeout: '200ms', maxQueue: 1, maxQueuePerCaller: 1 })
class SlowWorker {
  @Task({ input: z.string().max(5), output: z.string() })
  async go(what: string): Promise<string> {
    if (what === 'hang') await new Promise(() => {});
    if (what === 'throw') throw new Error(SECRET);
    return what;
  }
}

@Worker('field_broken', {
  runtime: 'inline',
  autoLoad: false,
  restart: { maxFailedStarts: 1, within: '10s', delay: '10ms', maxDelay: '10s' },
})
class BrokenWorker {
  @OnStart() protected boot() {
    throw new Error(SECRET);
  }
  @Task({ input: z.string(), output: z.string() })
  go(what: string) {
    return what;
  }
}

type Go = { go(what: string): Promise<string> };

/** The same server, written in four ways. */
function servers() {
  @Connection({ listen: HERE })
  class Web {
    constructor(
      @InjectWorker(SlowWorker) private readonly slow: WorkerClient<SlowWorker>,
      @InjectWorker(BrokenWorker) private readonly broken: WorkerClient<BrokenWorker>,
    ) {}
    @OnRequest() async answer({ url }: Request) {
      return new Response(await ask(this.slow, this.broken, new URL(url).pathname.slice(1)));
    }
  }
  const ask = (slow: Go, broken: Go, what: string): Promise<string> => (what === 'start' ? broken : slow).go(what);
  return {
    'a class': Web,
    Fastify: mount(
      ({ worker }) => {
        const app = fastify();
        const [slow, broken] = [worker(SlowWorker), worker(BrokenWorker)];
        app.get<{ Params: { what: string } }>('/:what', ({ params }) => ask(slow, broken, params.what));
        return app;
      },
      { listen: HERE },
    ),
    Express: mount(
      ({ worker }) => {
        const app = express();
        // The stack of an error is its answer otherwise.
        app.set('env', 'production');
        const [slow, broken] = [worker(SlowWorker), worker(BrokenWorker)];
        app.get('/:what', (request, response, next) => {
          ask(slow, broken, request.params.what).then(text => response.send(text), next);
        });
        return app;
      },
      { listen: HERE },
    ),
    Hono: mount(
      ({ worker }) => {
        const [slow, broken] = [worker(SlowWorker), worker(BrokenWorker)];
        return new Hono().get('/:what', async c => c.text(await ask(slow, broken, c.req.param('what'))));
      },
      { listen: HERE },
    ),
  };
}

describe('an error of a worker, where nobody explains it', () => {
  // Express and Hono print errors that they answer.
  const { error } = console;
  before(() => (console.error = () => {}));
  after(() => (console.error = error));

  for (const [name, server] of Object.entries(servers())) {
    it(`has the same status whoever serves, and tells nothing of the inside: ${name}`, async () => {
      const { app, url } = await serve(server, { workers: [SlowWorker, BrokenWorker] });
      const told: string[] = [];
      const status = async (path: string): Promise<number> => {
        const answer = await fetch(`${url}/${path}`);
        told.push(await answer.text());
        return answer.status;
      };
      expect(await status('fine')).to.equal(200);
      expect(await status('longer')).to.equal(400);
      expect(await status('hang')).to.equal(504);
      const gaveUp = await app
        .get(Workers)
        .start(BrokenWorker)
        .catch((error: Error) => error);
      expect(String(gaveUp)).to.contain('cannot be started').and.not.contain('hunter2');
      expect(String((gaveUp as Error).cause)).to.contain('hunter2');
      expect(await status('start')).to.equal(503);
      const busy = ['hang', 'hang', 'hang', 'hang', 'hang', 'hang'].map(status);
      const statuses = await Promise.all(busy);
      expect(statuses).to.include(503).and.include(504);
      expect(told.join('\n')).to.not.match(/hunter2|postgres|10\.1\.2\.3/);
    });
  }

  it('is in the log, and fixed words are the answer: a task’s own error', async () => {
    using errors = new Events('connection.error');
    const { url } = await serve(servers()['a class'], { workers: [SlowWorker, BrokenWorker] });
    const answer = await fetch(`${url}/throw`);
    expect([answer.status, await answer.text()]).to.deep.equal([500, 'something went wrong here']);
    await waitFor(() => errors.seen.length === 1);
    expect(String(errors.seen[0]!['error'])).to.contain('hunter2');
  });
});
