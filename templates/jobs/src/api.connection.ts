import { Connection } from 'packet-ts';
import { OnRequest, useLightWeb } from 'packet-ts/http';
import { z } from 'zod';
import { JobStore } from './job-store.js';

// `Request`, `Response` and `fetch` of this process without streams for texts and JSON.
useLightWeb();

const HOST = process.env['HOST'] ?? '127.0.0.1';

const NewJob = z.object({ text: z.string().max(100_000), rounds: z.number().int().min(1).max(5_000_000) });

/** `POST /jobs` answers at once with an id, `GET /jobs/ID` tells how far it is, `GET /jobs/ID?wait` answers when it is done. */
@Connection({ listen: `http://${HOST}:11082`, maxMessageSize: '1mb' })
export class Api {
  constructor(private readonly jobs: JobStore) {}

  @OnRequest()
  async answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const [, first, id] = pathname.split('/');
    if (first === 'jobs' && id === undefined && request.method === 'POST') return this.#add(await request.json());
    if (first !== 'jobs' || id === undefined) return Response.json({ error: 'not found' }, { status: 404 });
    const job = searchParams.has('wait') ? await this.jobs.finished(id) : this.jobs.get(id);
    return job ? Response.json(job) : Response.json({ error: 'not found' }, { status: 404 });
  }

  #add(body: unknown): Response {
    const wanted = NewJob.safeParse(body);
    if (!wanted.success) return Response.json({ error: wanted.error.issues }, { status: 400 });
    const job = this.jobs.add(wanted.data);
    return job ? Response.json(job, { status: 202 }) : Response.json({ error: 'too many jobs' }, { status: 503 });
  }
}
