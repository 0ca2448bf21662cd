import { bootstrap, Connection, Module, OnClose, OnConnect, OnData, Peer, Reactor } from 'packet-ts';
import { OnRequest } from 'packet-ts/http';
import { json } from 'packet-ts/framing';
import 'packet-ts/websocket';
import { z } from 'zod';
import { page } from './page.js';

const Said = z.object({ from: z.string().min(1).max(20), text: z.string().min(1).max(500) });
type Said = z.infer<typeof Said>;

/** The page and its websocket share a port: browsers let it open that one. */
@Connection({ listen: 'http://127.0.0.1:11081' })
class Page {
  @OnRequest() answer({ url }: Request): Response {
    if (new URL(url).pathname !== '/') return new Response('not found', { status: 404 });
    return new Response(page, { headers: { 'content-type': 'text/html; charset=utf-8' } });
  }
}

@Connection({ listen: 'ws://127.0.0.1:11081/chat', framing: json<Said>(), maxMessageSize: '4kb' })
class Chat {
  constructor(
    private readonly peer: Peer<Said, Said>,
    private readonly reactor: Reactor,
  ) {}
  @OnConnect() welcome(): Said {
    this.reactor.broadcast(Chat, { from: '*', text: 'somebody joined' }, { except: this.peer });
    return { from: '*', text: `${this.reactor.connections(Chat).count} here` };
  }
  @OnData(Said) say(said: Said): void {
    this.reactor.broadcast(Chat, said);
  }
  @OnClose() left(): void {
    this.reactor.broadcast(Chat, { from: '*', text: 'somebody left' });
  }
}

@Module({ connections: [Page, Chat] })
class AppModule {}
await bootstrap(AppModule);
