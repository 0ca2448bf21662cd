import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bootstrap, Connection, Module, OnClose, OnConnect, OnData, Peer, type CloseReason } from 'packet-ts';
import { headerAndBody, type HeaderAndBody } from 'packet-ts/framing';

type Page = { title: string };

/** Fetches one page over a plain connection: connected by the reactor, once, with the page to ask for as its `data`. */
@Connection({ framing: headerAndBody() })
class WikiHandler {
  constructor(readonly peer: Peer<HeaderAndBody, HeaderAndBody, Page>) {}

  @OnConnect() ask(): HeaderAndBody {
    return { start: `GET /wiki/${this.peer.data.title} HTTP/1.0`, headers: { host: 'localhost' }, body: Buffer.alloc(0) };
  }

  @OnData() show(page: HeaderAndBody): void {
    console.log(`${page.start}\n${page.body.toString()}`);
    this.peer.end();
  }

  @OnClose() done({ by }: CloseReason): void {
    console.log(`closed by ${by}`);
  }
}

@Module({})
class AppModule {}

const wiki = createServer((request, response) => response.end(`an article about ${request.url}`));
await once(wiki.listen(0, '127.0.0.1'), 'listening');

const app = await bootstrap(AppModule);
const { port } = wiki.address() as AddressInfo;
const handler = await app.reactor.connect(WikiHandler, `tcp://127.0.0.1:${port}`, { data: { title: 'Reactor_pattern' } });
await once(handler.peer.signal, 'abort');
wiki.close();
await app.close();
