import { Connection, InjectWorker, type WorkerClient } from 'packet-ts';
import { OnRequest, useLightWeb } from 'packet-ts/http';
import { Primes } from './primes.worker.js';

// `Request`, `Response` and `fetch` of this process without streams for texts and JSON.
useLightWeb();

const HOST = process.env['HOST'] ?? '127.0.0.1';

/** An instance for each request. */
@Connection({ listen: `http://${HOST}:11080` })
export class Api {
  constructor(@InjectWorker(Primes) private readonly primes: WorkerClient<Primes>) {}

  @OnRequest()
  async answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/') return new Response('GET /primes?below=100\n');
    if (pathname !== '/primes') return new Response('not found\n', { status: 404 });
    const below = Number(searchParams.get('below'));
    // What the task's schema refuses is 400, what takes too long 504; a client that leaves stops the search.
    return Response.json({ below, primes: await this.primes.below(below) });
  }
}
