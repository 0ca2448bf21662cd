/** What must and must not compile about routes: a method disagrees neither with its path nor with its schemas. */
import { z } from 'zod';
import { Delete, Get, Head, Options, Patch, Post, Put, Route, type RequestAbout, type RouteInput } from 'packet-ts/http';
import { Connection } from 'packet-ts';

const Order = z.object({ id: z.number(), note: z.string().optional() });
type Order = z.infer<typeof Order>;
const change = { params: z.object({ id: z.coerce.number() }), body: z.object({ note: z.string() }), response: Order };

@Connection({ listen: 'http://127.0.0.1:0' })
export class Orders {
  @Get('/orders/:id') byPath({ params }: { params: { id: string } }) {
    return params.id;
  }
  @Get('/a/:b/c/:d/*') several({ params }: { params: { b: string; d: string; '*': string } }) {
    return [params.b, params.d, params['*']];
  }
  // @ts-expect-error the path has no such parameter
  @Get('/orders/:id') other({ params }: { params: { name: string } }) {
    return params.name;
  }
  @Get('/orders/:id', { params: z.object({ id: z.coerce.number() }) }) parsed({ params }: { params: { id: number } }) {
    return params.id;
  }
  // @ts-expect-error the schema makes it a number
  @Get('/orders/:id', { params: z.object({ id: z.coerce.number() }) }) text({ params }: { params: { id: string } }) {
    return params.id;
  }
  @Get('/search', { query: z.object({ q: z.string(), page: z.coerce.number().default(1) }), headers: z.object({ 'x-key': z.string() }) })
  search({ query, headers }: { query: { q: string; page: number }; headers: { 'x-key': string } }, { remote, id }: RequestAbout) {
    return [query.q, query.page, headers['x-key'], remote.url, id];
  }
  @Put('/orders/:id', change) change({ params, body }: RouteInput<typeof change>): Order {
    return { id: params.id, note: body.note };
  }
  @Post('/orders', { body: z.object({ note: z.string() }), response: Order }) async add({
    body,
    request,
  }: {
    body: { note: string };
    request: Request;
  }) {
    return request.signal.aborted ? new Response(null, { status: 409 }) : { id: 1, note: body.note };
  }
  // @ts-expect-error another body
  @Post('/orders', { body: z.object({ note: z.string() }) }) wrongBody({ body }: { body: { note: number } }) {
    return body.note;
  }
  // @ts-expect-error another answer than the schema's
  @Get('/wrong', { response: Order }) wrongAnswer() {
    return { id: 'x' };
  }
  // @ts-expect-error a body without a schema is not known
  @Patch('/unknown') unknownBody({ body }: { body: string }) {
    return body;
  }
  @Get('/stream', { response: Order }) async *stream() {
    yield { id: 1 };
  }
  // @ts-expect-error another item
  @Get('/stream', { response: Order }) async *wrongItems() {
    yield 'x';
  }
  @Delete('/orders/:id') remove() {}
  @Head('/orders') protected head() {}
  @Options('/orders') options() {
    return new Response(null, { headers: { allow: 'GET' } });
  }
  @Route('PROPFIND', '/files/*') list({ params }: { params: { '*': string } }) {
    return params['*'];
  }
  // @ts-expect-error no schema of that name
  @Get('/typo', { quary: z.object({}) }) typo() {}
  // @ts-expect-error no schema
  @Get('/none', { query: { q: 'string' } }) none() {}
}
