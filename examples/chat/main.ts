import { bootstrap, Connection, Module, OnClose, OnConnect, OnData, OnShutdown, Peer, Reactor } from 'packet-ts';
import { lines } from 'packet-ts/framing';

const port = process.argv[2] ?? 11010;

/** A line to one is a line to all. The first line is the name. Who does not read what is said is dropped, and nobody waits for him. */
@Connection({ listen: `tcp://127.0.0.1:${port}`, framing: lines({ maxLength: '1kb' }), idleTimeout: '10m', maxBufferedBytes: '1mb' })
class Chat {
  #name = '';

  constructor(
    private readonly peer: Peer<string, string>,
    private readonly reactor: Reactor,
  ) {}

  @OnConnect() welcome(): string {
    return `Who are you? (${this.reactor.connections(Chat).count - 1} others are here)`;
  }

  @OnData() say(line: string): void {
    if (this.#name === '') this.#tell(`* ${(this.#name = line)} joined`);
    else this.#tell(`${this.#name}: ${line}`);
  }

  @OnShutdown() bye(): string {
    return '* the server is going down';
  }

  @OnClose() left(): void {
    if (this.#name !== '') this.#tell(`* ${this.#name} left`);
  }

  #tell(text: string): void {
    this.reactor.broadcast(Chat, text, { except: this.peer });
  }
}

@Module({ connections: [Chat] })
class AppModule {}

await bootstrap(AppModule);
