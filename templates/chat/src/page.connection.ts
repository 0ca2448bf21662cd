import { Connection } from 'packet-ts';
import { OnRequest, useLightWeb } from 'packet-ts/http';
import { page } from './page.js';

// `Request`, `Response` and `fetch` of this process without streams for texts and JSON.
useLightWeb();

const HOST = process.env['HOST'] ?? '127.0.0.1';

/** The page shares its port with the websocket: browsers let it open that one. */
@Connection({ listen: `http://${HOST}:11081` })
export class Page {
  @OnRequest()
  answer({ url }: Request): Response {
    if (new URL(url).pathname !== '/') return new Response('not found\n', { status: 404 });
    return new Response(page, { headers: { 'content-type': 'text/html; charset=utf-8' } });
  }
}
