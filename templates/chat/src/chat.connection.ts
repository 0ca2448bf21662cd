import { Connection, OnClose, OnConnect, OnData, Peer, Reactor } from 'packet-ts';
import { json } from 'packet-ts/framing';
import 'packet-ts/websocket';
import { z } from 'zod';

const HOST = process.env['HOST'] ?? '127.0.0.1';

const Said = z.object({ from: z.string().min(1).max(20), text: z.string().min(1).max(500) });
type Said = z.infer<typeof Said>;

/** One browser (or any other client of websockets). */
@Connection({ listen: `ws://${HOST}:11081/chat`, framing: json<Said>(), maxMessageSize: '4kb' })
export class Chat {
  constructor(
    private readonly peer: Peer<Said, Said>,
    private readonly reactor: Reactor,
  ) {}

  @OnConnect()
  welcome(): Said {
    this.reactor.broadcast(Chat, { from: '*', text: 'somebody joined' }, { except: this.peer });
    return { from: '*', text: `${this.reactor.connections(Chat).count} here` };
  }

  @OnData(Said)
  say(said: Said): void {
    this.reactor.broadcast(Chat, said);
  }

  @OnClose()
  left(): void {
    this.reactor.broadcast(Chat, { from: '*', text: 'somebody left' });
  }
}
