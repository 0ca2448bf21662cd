import { bootstrap, Connection, InjectWorker, Module, Task, Worker, type WorkerClient } from 'packet-ts';
import { OnRequest, useLightWeb } from 'packet-ts/http';
import { z } from 'zod';

// Texts and JSON need no streams: each request costs a fraction.
useLightWeb();

/** What would hold up everybody else has a process of its own. */
@Worker('primes', { minWorkers: 2, maxWorkers: 2, timeout: '2s' })
export class Primes {
  @Task({ input: z.number().int().positive(), output: z.number() })
  below(limit: number): number {
    let count = 0;
    next: for (let n = 2; n < limit; n++) {
      for (let i = 2; i * i <= n; i++) if (n % i === 0) continue next;
      count++;
    }
    return count;
  }
}

@Connection({ listen: 'http://127.0.0.1:11080' })
class Api {
  constructor(@InjectWorker(Primes) private readonly primes: WorkerClient<Primes>) {}

  @OnRequest() async answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/echo') return new Response(request.body);
    if (pathname !== '/primes') return new Response('not found\n', { status: 404 });
    const below = Number(searchParams.get('below'));
    // What the schema refuses is 400, what takes too long 504, and a client that leaves stops the search.
    return Response.json({ below, primes: await this.primes.below(below) });
  }
}

@Module({ connections: [Api], workers: [Primes] })
class AppModule {}

await bootstrap(AppModule);
